"""The worker throws away what was kept for long enough, and looks only now and then."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from admin.access.throttle import FORGOTTEN_AFTER
from models.database import Database
from models.idempotency import KEPT_FOR, KeptAnswer
from models.sign_in import SignInFailures
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
