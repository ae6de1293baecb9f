"""Give numbers back to the carrier once their quarantine is over; each step is written down first."""

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

import structlog

from admin.number_releases import begin_return, end_return
from models.database import Database
from models.number_release import due
from routing.numbers import PhoneNumber
from webhooks.carriers.carrier_number import OwnedNumber
from webhooks.carriers.errors import Refused

log = structlog.get_logger()

_AT_ONCE = 100


class ReturningCarrier(Protocol):
    """What giving back needs of a carrier."""

    def by_sid(self, sid: str) -> OwnedNumber | None: ...
    def owned(self, number: PhoneNumber) -> OwnedNumber | None: ...
    def release(self, sid: str) -> None: ...


def return_due(
    database: Database,
    carrier: Callable[[], ReturningCarrier],
    now: datetime,
    pause: Callable[[float], object] = lambda _seconds: None,
) -> int:
    """Give back what has rested long enough, at most a hundred; return how many that were.

    `carrier` is opened only if there is something to give back. Raises what the carrier raises.
    """
    with database.reading() as session:
        waiting = due(session, now, _AT_ONCE)
    returned = 0
    for release_id in waiting:
        pause(0)
        try:
            returned += return_one(database, carrier(), release_id, now)
        except Refused as error:
            log.warning("release.refused", release=release_id, error=f"the carrier {error}")
    return returned


def return_one(database: Database, carrier: ReturningCarrier, release_id: int, now: datetime) -> bool:
    """Give back one number; False: it is not to be given back any more."""
    with database.session() as session:
        given_back = begin_return(session, release_id)
        if given_back is None:
            return False
        number, sid = given_back.number, given_back.carrier_sid
    # A SID may be that of an earlier purchase, or unknown since the number was imported.
    owned = (carrier.by_sid(sid) if sid else None) or carrier.owned(number)
    if owned is not None and owned.number == number:
        carrier.release(owned.sid)
    with database.session() as session:
        end_return(session, release_id, now)
    log.info("release.returned", number=str(number))
    return True
