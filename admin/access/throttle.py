"""How fast somebody may try to sign in: slower with each failure, and never locked out for good.

Each attempt is counted before it is looked at, so that many at once are not many guesses; a right one
takes its count back. What counts is kept in SQL, because every process must know it.

- One account: five failures are free, then the wait doubles from one second up to a minute. An
  attacker cannot make the owner wait longer than that, and from a browser in which the owner has
  signed in before, the owner is counted apart and waits for nobody.
- One address: twenty failures are free, then the wait doubles up to a quarter of an hour: whoever
  tries many accounts.
- Second factors and old passwords, by account: five are free, then up to a quarter of an hour. To get
  that far one needs the password, or the session.

Each quarter of an hour without a failure forgives one, so that mistypings never add up; a day, all.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from admin.errors import TryLater
from models.sign_in import failures_of

FORGOTTEN_AFTER = timedelta(days=1)
_ONE_FORGIVEN_EVERY = timedelta(minutes=15)
_LONGEST_DOUBLING = 20
"""2 to the power of it, in seconds, is longer than any wait."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How many failures are free, and what the wait grows to after them."""

    free: int
    longest: timedelta

    def wait(self, failures: int) -> timedelta:
        """How long after the last of so many failures the next attempt may come."""
        if failures < self.free:
            return timedelta()
        doublings = min(failures - self.free, _LONGEST_DOUBLING)
        return min(timedelta(seconds=2**doublings), self.longest)


ACCOUNT = Pace(free=5, longest=timedelta(minutes=1))
ADDRESS = Pace(free=20, longest=timedelta(minutes=15))
PROOF = Pace(free=5, longest=timedelta(minutes=15))
"""For a second factor or an old password, and for an account in a browser it knows."""


def count_attempt(session: Session, paces: Mapping[str, Pace], now: datetime) -> dict[str, int]:
    """Count an attempt for each subject and return their counts; it is a failure until taken back.

    Raises `TryLater`, and then counts nothing, if one of the subjects has to wait.
    """
    kept = failures_of(session, paces, now)
    waits = []
    for subject, row in kept.items():
        # The clock of another host may be ahead: nobody waits longer for that.
        since = max(timedelta(), now - row.last_failed_at)
        row.failures = _left_of(row.failures, since)
        waits.append(paces[subject].wait(row.failures) - since)
    longest = max(waits)
    if longest > timedelta():
        raise TryLater(-(-longest // timedelta(seconds=1)))
    for row in kept.values():
        row.failures += 1
        row.last_failed_at = now
    return {subject: row.failures for subject, row in kept.items()}


def _left_of(failures: int, since: timedelta) -> int:
    if since >= FORGOTTEN_AFTER:
        return 0
    return max(0, failures - since // _ONE_FORGIVEN_EVERY)


def take_back(session: Session, paces: Mapping[str, Pace], now: datetime) -> None:
    """The attempt was right: an account starts afresh, an address only loses the one attempt.

    Otherwise an attacker with an account of his own could sign in between his guesses at others.
    """
    for subject, row in failures_of(session, paces, now).items():
        if paces[subject] is ADDRESS:
            row.failures = max(0, row.failures - 1)
        else:
            row.failures = 0
