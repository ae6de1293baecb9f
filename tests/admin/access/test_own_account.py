"""What users do for themselves: passwords by the old one or by a link, and a second factor."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pyotp
import pytest

from admin.access import identity as identities
from admin.access.identity import Identity
from admin.access.links import VALID_FOR, make_link
from admin.access.visitor import Visitor
from admin.errors import Conflict, Invalid, NotAllowed, NotSignedIn, NotThere, Refusal, TryLater
from models.api_token import Scope
from models.audit import Via
from models.database import Database
from models.sign_in import LinkPurpose, OneTimeLink
from models.user import User, UserStatus
from tests.admin.people import HOME, PASSWORD, Premises, acting

BETTER = "a kettle of wet otters"


def signed_in(premises: Premises, user: User, password: str = PASSWORD) -> tuple[str, Identity]:
    cookie = premises.sign_in(user, password).cookie
    found = whose(premises, cookie)
    assert found is not None
    return cookie, found


def whose(premises: Premises, cookie: str) -> Identity | None:
    with premises.database.reading() as session:
        return identities.of_cookie(session, cookie, premises.clock())


def change(premises: Premises, identity: Identity, old: str = PASSWORD, new: str = BETTER) -> str:
    raw = {"old_password": old, "new_password": new}
    return premises.account.change_password(identity, raw, premises.clock()).cookie


def a_link(premises: Premises, user: User, purpose: LinkPurpose = LinkPurpose.RESET) -> str:
    with premises.database.session() as session:
        return make_link(session, session.get_one(User, user.id), purpose, premises.clock())


def use(premises: Premises, link: str, password: str = BETTER) -> None:
    premises.account.use_link({"token": link, "password": password}, premises.clock())


def a_token_of(user: User) -> Identity:
    return Identity(acting(user, Scope.ADMIN, Via.API), token_id=1)


# By the old password


def test_a_new_password_takes_the_place_of_the_old_one(premises: Premises) -> None:
    user = premises.a_user()
    change(premises, signed_in(premises, user)[1])
    assert premises.sign_in(user, BETTER).due is None
    with pytest.raises(NotSignedIn):
        premises.sign_in(user, PASSWORD)


def test_a_new_password_ends_all_other_sessions_and_renews_this_one(premises: Premises) -> None:
    user = premises.a_user()
    elsewhere, _ = signed_in(premises, user)
    here, identity = signed_in(premises, user)
    renewed = change(premises, identity)
    assert [whose(premises, cookie) is not None for cookie in (elsewhere, here, renewed)] == [
        *(False, False, True)
    ]


def test_a_one_time_password_is_good_for_choosing_another(on_sqlite: Premises) -> None:
    user = on_sqlite.a_user(password_changed_at=None)
    found = whose(on_sqlite, change(on_sqlite, signed_in(on_sqlite, user)[1]))
    assert found is not None
    assert found.due is None


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("not the password", BETTER, "old_password"),
        (PASSWORD, "too short", "new_password"),
        (PASSWORD, "passwordpassword", "new_password"),
        (PASSWORD, PASSWORD, "new_password"),
    ],
)
def test_a_change_that_is_not_right_names_the_field(
    on_sqlite: Premises, old: str, new: str, field: str
) -> None:
    _, identity = signed_in(on_sqlite, on_sqlite.a_user())
    with pytest.raises(Invalid) as refused:
        change(on_sqlite, identity, old, new)
    assert [error.field for error in refused.value.errors] == [field]


def test_guessing_the_old_password_in_an_open_session_is_slowed(on_sqlite: Premises) -> None:
    _, identity = signed_in(on_sqlite, on_sqlite.a_user())
    refusals: list[type[Refusal]] = []
    for _ in range(7):
        try:
            change(on_sqlite, identity, "not the password")
        except (Invalid, TryLater) as refusal:
            refusals.append(type(refusal))
    assert refusals == [Invalid] * 5 + [TryLater] * 2


def test_a_token_changes_no_password(on_sqlite: Premises) -> None:
    with pytest.raises(NotAllowed):
        change(on_sqlite, a_token_of(on_sqlite.a_user()))


# By a link


def test_a_link_sets_a_password_and_ends_all_sessions(premises: Premises) -> None:
    user = premises.a_user()
    cookie, _ = signed_in(premises, user)
    use(premises, a_link(premises, user))
    assert whose(premises, cookie) is None
    assert premises.sign_in(user, BETTER).due is None


def test_a_link_works_once(premises: Premises) -> None:
    link = a_link(premises, premises.a_user())
    use(premises, link)
    with pytest.raises(NotThere):
        use(premises, link)


def test_a_bad_password_does_not_use_the_link_up(on_sqlite: Premises) -> None:
    link = a_link(on_sqlite, on_sqlite.a_user())
    with pytest.raises(Invalid):
        use(on_sqlite, link, "too short")
    use(on_sqlite, link)


@pytest.mark.parametrize("purpose", LinkPurpose)
@pytest.mark.parametrize(("seconds", "is_good"), [(-1, True), (0, False), (1, False)])
def test_a_link_ends_on_time(
    on_sqlite: Premises, *, purpose: LinkPurpose, seconds: int, is_good: bool
) -> None:
    link = a_link(on_sqlite, on_sqlite.a_user(), purpose)
    on_sqlite.clock.now += VALID_FOR[purpose] + timedelta(seconds=seconds)
    try:
        use(on_sqlite, link)
    except NotThere:
        assert not is_good
    else:
        assert is_good


def test_invitations_last_three_days_and_resets_an_hour() -> None:
    assert {LinkPurpose.INVITE: timedelta(days=3), LinkPurpose.RESET: timedelta(hours=1)} == VALID_FOR


def test_a_later_link_makes_the_earlier_one_void(on_sqlite: Premises) -> None:
    user = on_sqlite.a_user()
    earlier, later = a_link(on_sqlite, user), a_link(on_sqlite, user)
    with pytest.raises(NotThere):
        use(on_sqlite, earlier)
    use(on_sqlite, later)


@pytest.mark.parametrize("link", ["", "nonsense", "x" * 1000])
def test_an_unknown_link_is_not_there(on_sqlite: Premises, link: str) -> None:
    with pytest.raises(NotThere):
        use(on_sqlite, link)


def test_the_link_of_a_disabled_user_is_not_there(on_sqlite: Premises) -> None:
    user = on_sqlite.a_user()
    link = a_link(on_sqlite, user)
    with on_sqlite.database.session() as session:
        session.get_one(User, user.id).status = UserStatus.DISABLED
    with pytest.raises(NotThere):
        use(on_sqlite, link)


def test_the_database_keeps_no_link(on_sqlite: Premises) -> None:
    link = a_link(on_sqlite, on_sqlite.a_user())
    with on_sqlite.database.reading() as session:
        kept = session.query(OneTimeLink).one()
    assert link not in {str(value) for value in vars(kept).values()}


def test_a_link_that_two_use_at_once_works_for_one(postgres_database: Database) -> None:
    premises = Premises(postgres_database)
    link = a_link(premises, premises.a_user())

    def works(password: str) -> bool:
        try:
            use(premises, link, password)
        except NotThere:
            return False
        return True

    with ThreadPoolExecutor(2) as both:
        assert sorted(both.map(works, ["the first of two otters", "the second of two otters"])) == [
            False,
            True,
        ]


# The second factor


def enrolled(premises: Premises, identity: Identity) -> pyotp.TOTP:
    made = premises.account.enrol_second_factor(identity, {"password": PASSWORD}, premises.clock())
    app = pyotp.parse_uri(made.otpauth_uri)
    assert isinstance(app, pyotp.TOTP)
    assert app.secret == made.secret
    return app


def test_a_second_factor_counts_from_its_first_code_on(premises: Premises) -> None:
    user = premises.a_user()
    cookie, identity = signed_in(premises, user)
    app = enrolled(premises, identity)
    assert premises.sign_in(user).due is None
    codes = premises.account.confirm_second_factor(
        identity, {"code": app.at(premises.clock())}, premises.clock()
    )
    assert len(codes) == 10
    assert premises.sign_in(user).due is not None
    here = whose(premises, cookie)
    assert here is not None
    assert here.due is None


def test_switching_it_on_ends_all_other_sessions(on_sqlite: Premises) -> None:
    user = on_sqlite.a_user()
    elsewhere, _ = signed_in(on_sqlite, user)
    _, identity = signed_in(on_sqlite, user)
    app = enrolled(on_sqlite, identity)
    on_sqlite.account.confirm_second_factor(identity, {"code": app.at(on_sqlite.clock())}, on_sqlite.clock())
    assert whose(on_sqlite, elsewhere) is None


def test_a_wrong_code_does_not_switch_it_on(on_sqlite: Premises) -> None:
    user = on_sqlite.a_user()
    _, identity = signed_in(on_sqlite, user)
    enrolled(on_sqlite, identity)
    with pytest.raises(Invalid):
        on_sqlite.account.confirm_second_factor(identity, {"code": "12345"}, on_sqlite.clock())
    assert on_sqlite.sign_in(user).due is None


def test_there_is_one_second_factor_at_a_time(on_sqlite: Premises) -> None:
    _, identity = signed_in(on_sqlite, on_sqlite.a_user())
    app = enrolled(on_sqlite, identity)
    on_sqlite.account.confirm_second_factor(identity, {"code": app.at(on_sqlite.clock())}, on_sqlite.clock())
    with pytest.raises(Conflict):
        enrolled(on_sqlite, identity)


def test_it_is_switched_off_with_the_password(premises: Premises) -> None:
    user = premises.a_user()
    _, identity = signed_in(premises, user)
    app = enrolled(premises, identity)
    premises.account.confirm_second_factor(identity, {"code": app.at(premises.clock())}, premises.clock())
    with pytest.raises(Invalid):
        premises.account.remove_second_factor(identity, {"password": "not it"}, premises.clock())
    premises.account.remove_second_factor(identity, {"password": PASSWORD}, premises.clock())
    assert premises.sign_in(user).due is None


def test_a_token_enrols_no_second_factor(on_sqlite: Premises) -> None:
    identity = a_token_of(on_sqlite.a_user())
    with pytest.raises(NotAllowed):
        enrolled(on_sqlite, identity)


def test_a_new_password_makes_browsers_unknown(on_sqlite: Premises) -> None:
    user = on_sqlite.a_user()
    opened = on_sqlite.sign_in(user)
    found = whose(on_sqlite, opened.cookie)
    assert found is not None
    change(on_sqlite, found)
    marked = Visitor(HOME.address, browser=opened.browser)
    for _ in range(5):
        with pytest.raises(NotSignedIn):
            on_sqlite.sign_in(user, "not the password")
    with pytest.raises(TryLater):
        on_sqlite.sign_in(user, BETTER, marked)
