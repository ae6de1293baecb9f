"""`hookswitch user` and `hookswitch token`: what operators of the server do, and never a secret too many."""

import io
import sys
from datetime import UTC, datetime, timedelta

import click
import pytest
from sqlalchemy import select

from admin.access import identity as identities
from admin.access.passwords import Passwords
from admin.desk import Desk
from admin.own_account import OwnAccount
from admin.signing_in import SigningIn
from models.api_token import ApiToken, Scope
from models.audit import AuditEntry, Via
from models.campaign import Campaign
from models.group import Group
from models.user import User, UserStatus
from scripts import user as command
from tests.admin.people import HOME, QUICK
from tests.builders import a_campaign, a_group, a_user
from tests.scripts.conftest import Typed
from tests.scripts.installation import SECRETS, Installation, Outcome

PASSWORD = "six grey geese on the lake"


@pytest.fixture(autouse=True)
def _quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "Passwords", lambda: Passwords(QUICK))


@pytest.fixture
def type_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(PASSWORD + "\n"))


def create(typed: Typed, **said: str) -> Outcome:
    words = {"email": "ada@example.com", "name": "Ada", "role": "admin", "group": "Main"} | said
    options = [word for name, value in words.items() for word in (f"--{name}", value)]
    return typed("user", "create", *options, "--password-stdin")


def the_user(installation: Installation, email: str = "ada@example.com") -> User:
    with installation.database.reading() as session:
        return session.scalars(select(User).where(User.email == email)).one()


def sign_in(installation: Installation, email: str, password: str) -> None:
    desk = Desk(installation.database, lambda: datetime.now(UTC), lambda: None)
    door = SigningIn(desk, Passwords(QUICK), SECRETS["SECRET_KEY"])
    assert door.sign_in({"email": email, "password": password}, HOME, datetime.now(UTC)).due is None


# Created


def test_the_first_user_of_a_new_installation_gets_a_group_and_signs_in(
    typed: Typed, installation: Installation, type_password: None
) -> None:
    done = create(typed, email="Ada@Example.com")
    assert (done.status, done.out) == (0, "user 1 created: ada@example.com, admin of Main\n")
    sign_in(installation, "ada@example.com", PASSWORD)
    with installation.database.reading() as session:
        assert session.scalars(select(Group.name)).all() == ["Main"]


def test_a_password_is_asked_for_twice_and_not_shown(
    typed: Typed, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, object]] = []

    def prompt(_text: str, **how: object) -> str:
        asked.append(how)
        return PASSWORD

    monkeypatch.setattr(click, "prompt", prompt)
    words = ["--email", "a@example.com", "--name", "A", "--role", "admin", "--group", "Main"]
    assert typed("user", "create", *words).status == 0
    assert [(how["hide_input"], how["confirmation_prompt"]) for how in asked] == [(True, True)]


@pytest.mark.parametrize("by", ["name", "external_id", "id"])
def test_a_group_is_named_by_name_external_id_or_id(
    typed: Typed, installation: Installation, type_password: None, by: str
) -> None:
    with installation.database.session() as session:
        a_group(session)
        group = a_group(session, name="North", external_id="N-1")
        named = str(getattr(group, by))
    assert create(typed, group=named).status == 0
    assert the_user(installation).group_id == group.id


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ({"group": "Nowhere"}, "there is no group"),
        ({"group": "Twice"}, "several groups"),
        ({"email": "no address"}, "email: is not an e-mail address"),
        ({"email": "taken@example.com"}, "is the address of a user already"),
    ],
)
def test_what_cannot_be_created_is_told_in_one_line(
    typed: Typed, installation: Installation, type_password: None, said: dict[str, str], complaint: str
) -> None:
    with installation.database.session() as session:
        for name in ("Main", "Twice", "Twice"):
            a_group(session, name=name)
        a_user(session, email="taken@example.com")
    refused = create(typed, **said)
    assert refused.status == 1
    assert complaint in refused.complaint


@pytest.mark.parametrize("password", ["too short", "passwordpassword", "my name is ada@example.com", ""])
def test_a_password_that_is_none_is_refused_and_not_repeated(
    typed: Typed, installation: Installation, monkeypatch: pytest.MonkeyPatch, password: str
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(password + "\n"))
    refused = create(typed)
    assert refused.status == 1
    assert refused.complaint.startswith("hookswitch: the password ")
    assert not password or password not in refused.err


def test_wrong_usage_is_told_as_such(typed: Typed, installation: Installation) -> None:
    assert create(typed, role="king").status == 2


def test_an_absent_database_is_told_in_one_line(
    typed: Typed, installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "sqlite:////nowhere/at/all.db")
    assert "database" in typed("user", "list").complaint


# Listed, disabled, helped back in


@pytest.fixture
def owner(installation: Installation) -> User:
    """A standard user with a campaign, in the group of the admin ada@example.com."""
    with installation.database.session() as session:
        group = a_group(session, name="Main")
        a_user(session, email="ada@example.com", group_id=group.id)
        owner = a_user(session, email="otis@example.com", group_id=group.id, role="standard")
        a_campaign(session, group_id=group.id, owner_id=owner.id)
        return owner


def test_users_are_listed(typed: Typed, owner: User) -> None:
    told = typed("user", "list", "--json").json_lines
    assert [(row["email"], row["role"], row["group"], row["status"]) for row in told] == [
        ("ada@example.com", "admin", "Main", "active"),
        ("otis@example.com", "standard", "Main", "active"),
    ]
    assert "otis@example.com" in typed("user", "list").out


def test_an_owner_is_disabled_only_with_a_new_one(
    typed: Typed, installation: Installation, owner: User
) -> None:
    refused = typed("user", "disable", "otis@example.com")
    assert refused.status == 1
    assert "new_owner_id" in refused.complaint
    assert typed("user", "disable", "otis@example.com", "--new-owner", "ada@example.com").status == 0
    assert the_user(installation, owner.email).status is UserStatus.DISABLED
    with installation.database.reading() as session:
        assert session.scalars(select(Campaign.owner_id)).all() == [the_user(installation).id]
    assert typed("user", "enable", "otis@example.com").status == 0
    assert the_user(installation, owner.email).status is UserStatus.ACTIVE


def test_the_last_admin_is_not_disabled(typed: Typed, owner: User) -> None:
    assert "last admin" in typed("user", "disable", "ada@example.com").complaint


def test_what_commands_do_is_in_the_audit_trail(
    typed: Typed, installation: Installation, owner: User
) -> None:
    typed("user", "disable", "otis@example.com", "--new-owner", "ada@example.com")
    with installation.database.reading() as session:
        changes = select(AuditEntry).where(AuditEntry.field == "status")
        entry = session.scalars(changes).one()
    assert (entry.via, entry.user_id, entry.old, entry.new) == (Via.COMMAND, None, "active", "disabled")


def test_a_reset_link_stands_alone_on_stdout_and_works(
    typed: Typed, installation: Installation, owner: User
) -> None:
    told = typed("user", "reset-link", "ada@example.com")
    address, _, secret = told.out.strip().partition("#")
    assert address == "http://127.0.0.1:8000/password"
    desk = Desk(installation.database, lambda: datetime.now(UTC), lambda: None)
    account = OwnAccount(desk, Passwords(QUICK), SECRETS["SECRET_KEY"])
    account.use_link({"token": secret, "password": PASSWORD}, datetime.now(UTC))
    sign_in(installation, "ada@example.com", PASSWORD)


def test_a_lost_second_factor_is_removed_with_the_link(
    typed: Typed, installation: Installation, owner: User
) -> None:
    with installation.database.session() as session:
        kept = session.get_one(User, owner.id)
        kept.totp_secret, kept.totp_confirmed_at = "JBSWY3DPEHPK3PXP", datetime.now(UTC)
    assert typed("user", "reset-link", owner.email, "--without-second-factor").status == 0
    assert the_user(installation, owner.email).totp_secret is None


@pytest.mark.parametrize("words", [("disable",), ("enable",), ("reset-link",)])
def test_an_unknown_user_is_told_in_one_line(typed: Typed, owner: User, words: tuple[str, ...]) -> None:
    assert "there is no user" in typed("user", *words, "nobody@example.com").complaint


# Tokens


def test_a_token_stands_alone_on_stdout_and_speaks_for_its_user(
    typed: Typed, installation: Installation, owner: User
) -> None:
    told = typed("token", "create", "--email", "otis@example.com", "--name", "crm")
    assert (told.status, told.err) == (0, "")
    with installation.database.reading() as session:
        found = identities.of_token(session, told.out.removesuffix("\n"), datetime.now(UTC))
        kept = session.scalars(select(ApiToken)).one()
    assert found is not None
    assert (found.actor.user_id, found.actor.scope) == (owner.id, Scope.WRITE)
    assert (kept.name, kept.expires_at) == ("crm", None)


def test_a_token_has_the_scope_and_the_end_that_it_was_given(
    typed: Typed, installation: Installation, owner: User
) -> None:
    end = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)
    words = ["--email", owner.email, "--scope", "admin", "--expires", end.isoformat()]
    assert typed("token", "create", *words).status == 0
    with installation.database.reading() as session:
        kept = session.scalars(select(ApiToken)).one()
    assert (kept.scope, kept.expires_at) == (Scope.ADMIN, end)


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["--email", "nobody@example.com"], 1),
        (["--email", "otis@example.com", "--expires", "2020-01-01T00:00:00Z"], 1),
        (["--email", "otis@example.com", "--expires", "2030-01-01"], 2),
        (["--email", "otis@example.com", "--scope", "everything"], 2),
        ([], 2),
    ],
)
def test_no_token_is_made_for_less_than_what_it_needs(
    typed: Typed, owner: User, words: list[str], status: int
) -> None:
    refused = typed("token", "create", *words)
    assert (refused.status, refused.out) == (status, "")
