"""API tokens: made, limited by scope and time, revoked; kept only as a digest."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy.orm import Session

from admin import tokens
from admin.access import identity as identities
from admin.access.identity import Identity
from admin.drafts import spelled
from admin.errors import Invalid, NotAllowed, NotThere
from admin.lists import audit
from admin.lists import tokens as lists
from models.api_token import ApiToken, Scope
from models.audit import AuditEntry, Via
from models.database import Database
from models.user import UserStatus
from tests.admin.people import Tree, a_tree, acting
from tests.builders import NOW

IN_A_YEAR = NOW + timedelta(days=365)


@pytest.fixture
def session(sqlite_url: str) -> Iterator[Session]:
    database = Database(sqlite_url)
    with database.session() as session:
        yield session
    database.dispose()


@pytest.fixture
def tree(session: Session) -> Tree:
    return a_tree(session)


def made(session: Session, tree: Tree, **said: object) -> str:
    return tokens.create(session, acting(tree.otis), {"name": "crm"} | said, NOW)[1]


def test_a_token_speaks_for_its_user_within_its_scope(session: Session, tree: Tree) -> None:
    found = identities.of_token(session, made(session, tree, scope="read"), NOW)
    assert found is not None
    assert found.actor == acting(tree.otis, Scope.READ, Via.API)


def test_a_token_is_known_by_its_beginning_and_kept_as_a_digest(session: Session, tree: Tree) -> None:
    token = made(session, tree)
    kept = session.query(ApiToken).one()
    assert token.startswith("hs_")
    assert len(token) == len("hs_") + 43
    assert token not in {str(value) for value in vars(kept).values()}


@pytest.mark.parametrize("wrong", ["", "hs_", "hs_" + "x" * 43, "\ud800"])
def test_another_token_speaks_for_nobody(session: Session, tree: Tree, wrong: str) -> None:
    made(session, tree)
    assert identities.of_token(session, wrong, NOW) is None


@pytest.mark.parametrize(("seconds", "is_good"), [(-1, True), (0, False), (1, False)])
def test_a_token_ends_on_time(session: Session, tree: Tree, *, seconds: int, is_good: bool) -> None:
    token = made(session, tree, expires_at=spelled(IN_A_YEAR))
    found = identities.of_token(session, token, IN_A_YEAR + timedelta(seconds=seconds))
    assert (found is not None) is is_good


def test_a_revoked_token_ends_at_once(session: Session, tree: Tree) -> None:
    token, secret = tokens.create(session, acting(tree.otis), {"name": "crm"}, NOW)
    tokens.revoke(session, acting(tree.otis), token.id, NOW)
    assert identities.of_token(session, secret, NOW) is None


def test_revoking_twice_keeps_the_first_instant(session: Session, tree: Tree) -> None:
    token, _ = tokens.create(session, acting(tree.otis), {"name": "crm"}, NOW)
    for later in range(2):
        tokens.revoke(session, acting(tree.otis), token.id, NOW + timedelta(hours=later))
    assert token.revoked_at == NOW


def test_the_token_of_a_disabled_user_is_void(session: Session, tree: Tree) -> None:
    token = made(session, tree)
    tree.otis.status = UserStatus.DISABLED
    session.flush()
    assert identities.of_token(session, token, NOW) is None


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"name": ""}, "name"),
        ({"scope": "everything"}, "scope"),
        ({"expires_at": "tomorrow"}, "expires_at"),
        ({"expires_at": spelled(NOW)}, "expires_at"),
        ({"user_id": 10**9}, "user_id"),
    ],
)
def test_what_is_wrong_with_a_new_token_is_told(
    session: Session, tree: Tree, said: dict[str, object], field: str
) -> None:
    with pytest.raises(Invalid) as refused:
        made(session, tree, **said)
    assert [error.field for error in refused.value.errors] == [field]


@pytest.mark.parametrize("scope", [Scope.READ, Scope.WRITE])
def test_a_token_that_may_do_less_makes_and_revokes_none(session: Session, tree: Tree, scope: Scope) -> None:
    token, _ = tokens.create(session, acting(tree.ada), {"name": "crm"}, NOW)
    with pytest.raises(NotAllowed):
        tokens.create(session, acting(tree.ada, scope), {"name": "more"}, NOW)
    with pytest.raises(NotAllowed):
        tokens.revoke(session, acting(tree.ada, scope), token.id, NOW)


def test_an_admin_makes_sees_and_revokes_tokens_of_his_subtree(session: Session, tree: Tree) -> None:
    nora = acting(tree.nora)
    token, _ = tokens.create(session, nora, {"name": "crm", "user_id": tree.otis.id}, NOW)
    assert [view.id for view in lists.page(session, nora, {"user_id": str(tree.otis.id)}, NOW).items] == [
        token.id
    ]
    assert tokens.revoke(session, nora, token.id, NOW).revoked_at == NOW


@pytest.mark.parametrize("who", ["otis", "sue"])
def test_tokens_of_others_are_not_there(session: Session, tree: Tree, who: str) -> None:
    stranger = acting(getattr(tree, who))
    token, _ = tokens.create(session, acting(tree.nora), {"name": "crm"}, NOW)
    with pytest.raises(NotThere):
        lists.one(session, stranger, token.id, NOW)
    with pytest.raises(NotThere):
        tokens.revoke(session, stranger, token.id, NOW)
    with pytest.raises(NotThere):
        lists.page(session, stranger, {"user_id": str(tree.nora.id)}, NOW)
    with pytest.raises(Invalid):
        tokens.create(session, stranger, {"name": "crm", "user_id": tree.nora.id}, NOW)


def test_the_admin_of_a_user_sees_what_happens_to_his_tokens(session: Session, tree: Tree) -> None:
    made(session, tree)
    seen = audit.page(session, acting(tree.nora), {"entity": "api_token"}, NOW).items
    assert [(entry.field, entry.new) for entry in seen] == [("created", "crm")]
    assert audit.page(session, acting(tree.sue), {"entity": "api_token"}, NOW).items == []


def test_a_list_of_tokens_is_read_page_by_page(session: Session, tree: Tree) -> None:
    made_ = [tokens.create(session, acting(tree.otis), {"name": f"{n}"}, NOW)[0].id for n in range(5)]
    seen: list[int] = []
    cursor: str | None = None
    while True:
        asked = {"limit": "2", "count": "true"} | ({} if cursor is None else {"cursor": cursor})
        page = lists.page(session, acting(tree.otis), asked, NOW)
        seen += [view.id for view in page.items]
        assert page.total == 5
        if (cursor := page.next_cursor) is None:
            break
    assert seen == made_[::-1]


def test_a_use_is_written_down_once_a_minute_and_the_first_is_audited(database: Database) -> None:
    with database.session() as session:
        tree = a_tree(session)
        token = made(session, tree)
    uses = []
    for seconds in (0, 59, 60, 61):
        now = NOW + timedelta(seconds=seconds)
        with database.session() as session:
            found = identities.of_token(session, token, now)
            assert isinstance(found, Identity)
            identities.note_use(session, found, now)
        with database.reading() as session:
            uses.append(session.query(ApiToken).one().last_used_at)
    assert uses == [NOW, NOW, NOW + timedelta(seconds=60), NOW + timedelta(seconds=60)]
    with database.reading() as session:
        first = session.query(AuditEntry).filter_by(field="token_first_used").one()
    assert (first.user_id, first.via, first.new) == (tree.otis.id, Via.API, "crm")


def test_a_user_has_a_hundred_valid_tokens_at_most(session: Session, tree: Tree) -> None:
    for _ in range(100):
        made(session, tree)
    with pytest.raises(Invalid) as refused:
        made(session, tree)
    assert [error.field for error in refused.value.errors] == ["user_id"]
