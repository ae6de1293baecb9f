"""Users: invited, revised, disabled; by whom, of whom, and never the last one who could undo it."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.orm import Session

from admin import users
from admin.access.actor import Actor
from admin.errors import Conflict, Invalid, NotAllowed, NotThere
from models.api_token import Scope
from models.audit import AuditEntry
from models.database import Database
from models.sign_in import LinkPurpose
from models.user import Role, User, UserStatus
from tests.admin.people import Premises, Tree, a_tree, acting
from tests.builders import NOW, a_campaign

NEW = {"email": "new@example.com", "name": "New"}


@pytest.fixture
def session(sqlite_url: str) -> Iterator[Session]:
    database = Database(sqlite_url)
    with database.session() as session:
        yield session
    database.dispose()


@pytest.fixture
def tree(session: Session) -> Tree:
    return a_tree(session)


def fields_of(refused: pytest.ExceptionInfo[Invalid]) -> list[str]:
    return [error.field for error in refused.value.errors]


# Created


def test_a_new_user_stands_in_his_admins_group_and_its_time_zone(session: Session, tree: Tree) -> None:
    user, _ = users.create(session, acting(tree.nora), NEW, NOW)
    assert (user.group_id, user.role, user.time_zone, user.status) == (
        *(tree.north, Role.STANDARD, "America/Los_Angeles", UserStatus.ACTIVE),
    )


def test_a_new_user_has_no_password_but_an_invitation(database: Database) -> None:
    premises = Premises(database)
    with database.session() as session:
        tree = a_tree(session)
        user, secret = users.create(session, acting(tree.ada), NEW, NOW)
        assert user.password_hash is None
    premises.account.use_link({"token": secret, "password": "a kettle of wet otters"}, NOW)
    assert premises.sign_in(user, "a kettle of wet otters").due is None


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"email": "no address"}, "email"),
        ({"email": "a b@example.com"}, "email"),
        ({"email": None}, "email"),
        ({"name": "  "}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"role": "owner"}, "role"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"time_zone": "../etc/passwd"}, "time_zone"),
        ({"time_zone": "Europe"}, "time_zone"),
        ({"time_zone": ""}, "time_zone"),
        ({"time_zone": "Z" * 200}, "time_zone"),
        ({"group_id": 10**9}, "group_id"),
        ({"is_root": True}, "is_root"),
    ],
)
def test_what_is_wrong_with_a_new_user_is_told(
    session: Session, tree: Tree, said: dict[str, object], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        users.create(session, acting(tree.ada), NEW | said, NOW)
    assert fields_of(refused) == [field]


def test_all_that_is_wrong_is_told_at_once(session: Session, tree: Tree) -> None:
    with pytest.raises(Invalid) as refused:
        users.create(session, acting(tree.nora), {"email": "x", "role": "king", "group_id": tree.south}, NOW)
    assert sorted(fields_of(refused)) == ["email", "group_id", "name", "role"]


def test_one_address_is_one_user_in_any_case(database: Database) -> None:
    with database.session() as session:
        tree = a_tree(session)
        users.create(session, acting(tree.ada), NEW, NOW)
        with pytest.raises(Conflict):
            users.create(session, acting(tree.sue), NEW | {"email": "NEW@example.com"}, NOW)


def test_two_who_invite_the_same_one_at_once_get_one_user(postgres_database: Database) -> None:
    with postgres_database.session() as session:
        ada = acting(a_tree(session).ada)

    def invited(name: str) -> bool:
        try:
            with postgres_database.session() as session:
                users.create(session, ada, NEW | {"name": name}, NOW)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(2) as both:
        assert sorted(both.map(invited, ["One", "Two"])) == [False, True]


@pytest.mark.parametrize(
    "who",
    [
        lambda tree: acting(tree.otis),
        lambda tree: acting(tree.ada, Scope.READ),
        lambda tree: acting(tree.ada, Scope.WRITE),
    ],
    ids=["standard user", "token that reads", "token that writes"],
)
def test_only_admins_with_the_whole_scope_create_users(
    session: Session, tree: Tree, who: Callable[[Tree], Actor]
) -> None:
    with pytest.raises(NotAllowed):
        users.create(session, who(tree), NEW, NOW)


# Revised


def test_everybody_changes_his_own_name_and_time_zone(session: Session, tree: Tree) -> None:
    changes = {"name": "Otto", "time_zone": "Europe/Berlin"}
    user = users.revise(session, acting(tree.otis), tree.otis.id, changes, NOW)
    assert (user.name, user.time_zone) == ("Otto", "Europe/Berlin")


@pytest.mark.parametrize("changes", [{"role": "admin"}, {"group_id": 1}, {"role": "standard"}])
@pytest.mark.parametrize("who", ["otis", "nora"])
def test_nobody_changes_his_own_rights(
    session: Session, tree: Tree, who: str, changes: dict[str, object]
) -> None:
    user: User = getattr(tree, who)
    with pytest.raises(NotAllowed):
        users.revise(session, acting(user), user.id, changes, NOW)


def test_a_standard_user_sees_no_other_user(session: Session, tree: Tree) -> None:
    with pytest.raises(NotThere):
        users.revise(session, acting(tree.otis), tree.nora.id, {"name": "X"}, NOW)


@pytest.mark.parametrize("whom", ["ada", "sue"])
def test_an_admin_sees_nobody_above_or_beside_his_subtree(session: Session, tree: Tree, whom: str) -> None:
    user: User = getattr(tree, whom)
    for act in (
        lambda: users.revise(session, acting(tree.nora), user.id, {"name": "X"}, NOW),
        lambda: users.disable(session, acting(tree.nora), user.id, {}, NOW),
        lambda: users.enable(session, acting(tree.nora), user.id),
        lambda: users.make_link(session, acting(tree.nora), user.id, NOW),
        lambda: users.remove_second_factor(session, acting(tree.nora), user.id),
    ):
        with pytest.raises(NotThere):
            act()


def test_an_admin_moves_nobody_out_of_his_subtree(session: Session, tree: Tree) -> None:
    with pytest.raises(Invalid) as refused:
        users.revise(session, acting(tree.nora), tree.otis.id, {"group_id": tree.root}, NOW)
    assert fields_of(refused) == ["group_id"]


def test_an_owner_is_not_moved_away_from_his_campaigns(session: Session, tree: Tree) -> None:
    a_campaign(session, group_id=tree.north, owner_id=tree.otis.id)
    with pytest.raises(Invalid) as refused:
        users.revise(session, acting(tree.ada), tree.otis.id, {"group_id": tree.south}, NOW)
    assert fields_of(refused) == ["group_id"]


@pytest.mark.parametrize("field", ["name", "role", "group_id", "time_zone"])
def test_nothing_of_a_user_is_taken_away(session: Session, tree: Tree, field: str) -> None:
    with pytest.raises(Invalid) as refused:
        users.revise(session, acting(tree.ada), tree.otis.id, {field: None}, NOW)
    assert fields_of(refused) == [field]


# Helped back in


def test_who_never_had_a_password_gets_another_invitation(session: Session, tree: Tree) -> None:
    invited, _ = users.create(session, acting(tree.nora), NEW, NOW)
    purposes = [users.make_link(session, acting(tree.nora), user.id, NOW)[0] for user in (invited, tree.otis)]
    assert purposes == [LinkPurpose.INVITE, LinkPurpose.RESET]


def test_a_link_that_was_made_is_in_the_audit_trail(session: Session, tree: Tree) -> None:
    users.make_link(session, acting(tree.nora), tree.otis.id, NOW)
    session.flush()
    entry = session.query(AuditEntry).filter_by(field="link_made").one()
    assert (entry.user_id, entry.entity_id, entry.new) == (tree.nora.id, tree.otis.id, "reset")


def test_a_disabled_user_gets_no_link(session: Session, tree: Tree) -> None:
    users.disable(session, acting(tree.nora), tree.otis.id, {}, NOW)
    with pytest.raises(Conflict):
        users.make_link(session, acting(tree.nora), tree.otis.id, NOW)


def test_nobody_makes_a_link_for_himself(session: Session, tree: Tree) -> None:
    with pytest.raises(NotAllowed):
        users.make_link(session, acting(tree.nora), tree.nora.id, NOW)


def test_an_admin_removes_a_lost_second_factor(session: Session, tree: Tree) -> None:
    tree.otis.totp_secret, tree.otis.totp_confirmed_at = "JBSWY3DPEHPK3PXP", NOW
    freed = users.remove_second_factor(session, acting(tree.nora), tree.otis.id)
    assert (freed.totp_secret, freed.totp_confirmed_at) == (None, None)
