"""The worker throws away what was kept for long enough, and looks only now and then."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from admin.access.credentials import digest_of, new_secret
from admin.access.identity import IDLE_LIMIT
from admin.access.links import VALID_FOR
from admin.access.sessions import open_session
from admin.access.throttle import FORGOTTEN_AFTER
from models.database import Database
from models.idempotency import KEPT_FOR, KeptAnswer
from models.session import UserSession
from models.sign_in import LinkPurpose, OneTimeLink, SignInFailures
from scripts.sweeping import Sweeper
from tests.builders import a_user

NOW = datetime(2026, 7, 1, tzinfo=UTC)
A_MOMENT = timedelta(seconds=1)


def keep(database: Database, key: str, at: datetime, failed_at: datetime) -> None:
    with database.session() as session:
        answer = {"fingerprint": "f" * 64, "status": 201, "body": b"{}", "created_at": at}
        session.add(KeptAnswer(user_id=a_user(session).id, key=key, **answer))
        session.add(SignInFailures(subject=key, failures=3, last_failed_at=failed_at))


def kept(database: Database) -> tuple[list[str], list[str]]:
    with database.reading() as session:
        answers = session.scalars(select(KeptAnswer.key).order_by(KeptAnswer.key))
        return list(answers), list(session.scalars(select(SignInFailures.subject)))


def test_what_is_a_day_old_goes(database: Database) -> None:
    keep(database, "old", NOW - KEPT_FOR - A_MOMENT, NOW - FORGOTTEN_AFTER - A_MOMENT)
    keep(database, "young", NOW - KEPT_FOR + A_MOMENT, NOW - FORGOTTEN_AFTER + A_MOMENT)
    Sweeper(database).sweep(NOW)
    assert kept(database) == (["young"], ["young"])


def test_it_is_looked_for_every_ten_minutes(database: Database) -> None:
    seconds = 0.0
    sweeper = Sweeper(database, lambda: seconds)
    sweeper.sweep(NOW)
    keep(database, "old", NOW - 2 * KEPT_FOR, NOW - 2 * FORGOTTEN_AFTER)
    for seconds, left in ((599.0, ["old"]), (600.0, [])):  # noqa: B007 - the clock above reads it
        sweeper.sweep(NOW)
        assert kept(database) == (left, left)


def test_sessions_and_links_go_when_they_are_over(database: Database) -> None:
    with database.session() as session:
        user = a_user(session)
        for later in (timedelta(0), A_MOMENT):
            open_session(session, user, "", NOW - IDLE_LIMIT + later)
            secret = new_secret()
            at = NOW - VALID_FOR[LinkPurpose.RESET] + later
            link = {"purpose": LinkPurpose.RESET, "created_at": at, "expires_at": NOW + later}
            session.add(OneTimeLink(token_hash=digest_of(secret), user_id=user.id, **link))
    Sweeper(database).sweep(NOW)
    with database.reading() as session:
        assert session.scalars(select(UserSession.created_at)).all() == [NOW - IDLE_LIMIT + A_MOMENT]
        assert session.scalars(select(OneTimeLink.expires_at)).all() == [NOW + A_MOMENT]
