"""Users: invited, revised, disabled; by whom, of whom, and never the last one who could undo it."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.orm import Session

from admin import tokens, users
from admin.access import identity as identities
from admin.access.actor import Actor
from admin.errors import Conflict, Invalid, NotAllowed, NotThere
from models.api_token import Scope
from models.audit import AuditEntry
from models.campaign import Campaign
from models.database import Database
from models.outbox import pending
from models.sign_in import LinkPurpose
from models.user import Role, User, UserStatus
from tests.admin.people import Premises, Tree, a_tree, acting, somebody
from tests.builders import NOW, a_campaign, a_group

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


# The last admin


@pytest.mark.parametrize("changes", [{"role": "standard"}, {"group_id": "north"}])
def test_the_last_admin_of_all_stays_one(session: Session, tree: Tree, changes: dict[str, object]) -> None:
    raw = {name: tree.north if value == "north" else value for name, value in changes.items()}
    command_line = Actor(0, tree.root, Role.ADMIN, "UTC")
    with pytest.raises(Conflict):
        users.revise(session, command_line, tree.ada.id, raw, NOW)
    with pytest.raises(Conflict):
        users.disable(session, command_line, tree.ada.id, {}, NOW)


def test_with_a_second_admin_the_first_may_go(session: Session, tree: Tree) -> None:
    other = somebody(session, group_id=tree.root)
    assert users.revise(session, acting(other), tree.ada.id, {"role": "standard"}, NOW).role is Role.STANDARD


def test_a_disabled_admin_does_not_count(session: Session, tree: Tree) -> None:
    somebody(session, group_id=tree.root, status=UserStatus.DISABLED)
    with pytest.raises(Conflict):
        users.disable(session, Actor(0, tree.root, Role.ADMIN, "UTC"), tree.ada.id, {}, NOW)


def test_two_admins_who_demote_each_other_at_once_leave_one(postgres_database: Database) -> None:
    with postgres_database.session() as session:
        root = a_group(session).id
        both = [somebody(session, group_id=root) for _ in range(2)]

    def demote(by: int) -> bool:
        try:
            with postgres_database.session() as session:
                users.revise(session, acting(both[by]), both[1 - by].id, {"role": "standard"}, NOW)
        except Conflict:
            return False
        return True

    with ThreadPoolExecutor(2) as at_once:
        assert sorted(at_once.map(demote, [0, 1])) == [False, True]


# Disabled and enabled


def test_disabling_ends_sessions_tokens_and_links_at_once(database: Database) -> None:
    premises = Premises(database)
    with database.session() as session:
        tree = a_tree(session)
        _, token = tokens.create(session, acting(tree.otis), {"name": "crm"}, NOW)
        _, link = users.make_link(session, acting(tree.nora), tree.otis.id, NOW)
    cookie = premises.sign_in(tree.otis).cookie
    with database.session() as session:
        users.disable(session, acting(tree.nora), tree.otis.id, {}, NOW)
    with database.reading() as session:
        assert identities.of_cookie(session, cookie, NOW) is None
        assert identities.of_token(session, token, NOW) is None
    with pytest.raises(NotThere):
        premises.account.use_link({"token": link, "password": "a kettle of wet otters"}, NOW)


def test_who_is_enabled_again_signs_in_and_his_tokens_stay_revoked(database: Database) -> None:
    premises = Premises(database)
    with database.session() as session:
        tree = a_tree(session)
        _, token = tokens.create(session, acting(tree.otis), {"name": "crm"}, NOW)
        users.disable(session, acting(tree.nora), tree.otis.id, {}, NOW)
        users.enable(session, acting(tree.nora), tree.otis.id)
    assert premises.sign_in(tree.otis).due is None
    with database.reading() as session:
        assert identities.of_token(session, token, NOW) is None


def test_disabling_an_owner_demands_a_new_one(session: Session, tree: Tree) -> None:
    a_campaign(session, group_id=tree.north, owner_id=tree.otis.id)
    with pytest.raises(Invalid) as refused:
        users.disable(session, acting(tree.nora), tree.otis.id, {}, NOW)
    assert fields_of(refused) == ["new_owner_id"]
    assert tree.otis.status is UserStatus.ACTIVE


def test_the_new_owner_has_all_of_his_campaigns(database: Database) -> None:
    with database.session() as session:
        tree = a_tree(session)
        owned = [a_campaign(session, group_id=tree.north, owner_id=tree.otis.id).id for _ in range(3)]
    with database.session() as session:
        users.disable(session, acting(tree.nora), tree.otis.id, {"new_owner_id": str(tree.nora.id)}, NOW)
    with database.reading() as session:
        assert {session.get_one(Campaign, id_).owner_id for id_ in owned} == {tree.nora.id}
        assert {session.get_one(Campaign, id_).revision for id_ in owned} == {2}
        assert len(pending(session, 100)) == 6


@pytest.mark.parametrize("whom", ["otis", "ada", "sue", "sleeper"])
def test_a_new_owner_is_another_active_user_who_sees_the_campaigns(
    session: Session, tree: Tree, whom: str
) -> None:
    a_campaign(session, group_id=tree.north, owner_id=tree.otis.id)
    sleeper = somebody(session, group_id=tree.north, status=UserStatus.DISABLED)
    named = sleeper if whom == "sleeper" else getattr(tree, whom)
    with pytest.raises(Invalid) as refused:
        users.disable(session, acting(tree.nora), tree.otis.id, {"new_owner_id": named.id}, NOW)
    assert fields_of(refused) == ["new_owner_id"]


def test_an_owner_elsewhere_in_the_tree_is_no_owner(session: Session, tree: Tree) -> None:
    a_campaign(session, group_id=tree.north, owner_id=tree.otis.id)
    with pytest.raises(Invalid) as refused:
        users.disable(session, acting(tree.ada), tree.otis.id, {"new_owner_id": tree.sue.id}, NOW)
    assert fields_of(refused) == ["new_owner_id"]


def test_nobody_disables_himself(session: Session, tree: Tree) -> None:
    with pytest.raises(NotAllowed):
        users.disable(session, acting(tree.nora), tree.nora.id, {}, NOW)


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
