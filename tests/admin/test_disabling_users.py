"""Who goes leaves nothing open and nothing ownerless, and the last admin never goes."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy.orm import Session

from admin import tokens, users
from admin.access import identity as identities
from admin.access.actor import Actor
from admin.errors import Conflict, Invalid, NotAllowed, NotThere
from models.campaign import Campaign
from models.database import Database
from models.outbox import pending
from models.user import Role, UserStatus
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
