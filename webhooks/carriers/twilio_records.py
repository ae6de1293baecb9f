"""What Twilio's REST record of a call says (twilio.com/docs/voice/api/call-resource)."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from msgspec.structs import replace

from routing.disposition import Disposition, disposition_of
from routing.events import CallUpdate
from routing.numbers import caller_number, dialled_number
from webhooks.carriers.carrier_call import CarrierCall
from webhooks.carriers.errors import Malformed
from webhooks.carriers.twilio_events import LONGEST_RAW_VALUE, call_update, leg_update

_CALL_SID = re.compile(r"CA[0-9a-fA-F]{32}")
_STATUS = re.compile(r"[a-z-]{1,32}")
_SECONDS = re.compile(r"[0-9]{1,6}")
_SHORTENED = 64
_YEARS = range(2000, 3000)
_KEPT = (
    *("sid", "parent_call_sid", "direction", "from", "to", "forwarded_from", "status"),
    *("date_created", "start_time", "end_time", "duration"),
)

Record = Mapping[str, object]


def is_inbound(record: Record) -> bool:
    """Whether it is a caller's own leg to a webhook; trunks have directions of their own."""
    return record.get("direction") == "inbound"


def is_leg(record: Record) -> bool:
    """Whether it is a leg that a `<Dial>` made."""
    return record.get("direction") == "outbound-dial" and bool(record.get("parent_call_sid"))


def call_in(record: Record) -> CarrierCall:
    """Read the record of a call or a leg; raise `Malformed`.

    The end is empty for a call that "did not complete successfully"; then it counts from the
    beginning. A completed leg was answered its duration before its end. It rang from its creation:
    a moment too early, as the far network has to be reached first.
    """
    call_sid = _sid(record, "sid")
    parent_sid = _sid(record, "parent_call_sid") if record.get("parent_call_sid") else None
    status = _text(record, "status")
    if not _STATUS.fullmatch(status):
        raise Malformed("status")
    stamps = [stamp for name in ("date_created", "start_time") if (stamp := _instant(record, name))]
    if not stamps:
        raise Malformed("start_time")
    began_at = min(stamps)
    duration = _duration(record)
    disposition = disposition_of(status)
    is_over = disposition is not None
    stated_end = _instant(record, "end_time")
    end = stated_end or max(stamps) + timedelta(seconds=duration or 0)
    if parent_sid is None:
        update = call_update(status, end if is_over else began_at, duration)
    else:
        update = leg_update(status, call_sid, end, duration) if is_over else CallUpdate()
        answered = disposition is Disposition.COMPLETED and duration is not None
        update = replace(
            update,
            rang_at=began_at,
            rang_until=update.rang_until if stated_end else None,
            answered_at=end - timedelta(seconds=duration or 0) if answered else None,
        )
    to = _text(record, "to")
    dialled = dialled_number(to)
    return CarrierCall(
        carrier="twilio",
        call_sid=call_sid,
        parent_sid=parent_sid,
        status=status,
        dialled=dialled,
        dialled_text="" if dialled else to[:_SHORTENED],
        caller=caller_number(_text(record, "from")),
        began_at=began_at,
        ended_at=end if is_over else None,
        update=replace(update, started_at=began_at),
        raw={name: text for name in _KEPT if (text := _text(record, name)[:LONGEST_RAW_VALUE])},
    )


def _text(record: Record, name: str) -> str:
    value = record.get(name)
    return value.replace("\0", "") if isinstance(value, str) else ""


def _sid(record: Record, name: str) -> str:
    sid = _text(record, name)
    if not _CALL_SID.fullmatch(sid):
        raise Malformed(name)
    return sid


def _duration(record: Record) -> int | None:
    """Seconds; Twilio writes them as text, and nothing for a call that was not answered."""
    value = record.get("duration")
    text = str(value) if isinstance(value, str | int) else ""
    return int(text) if _SECONDS.fullmatch(text) else None


def _instant(record: Record, name: str) -> datetime | None:
    """Read an RFC 2822 date as aware UTC; at the ends of the calendar one could not count on from it."""
    try:
        stamp = parsedate_to_datetime(_text(record, name))
        stamp = stamp.replace(tzinfo=UTC) if stamp.tzinfo is None else stamp.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return stamp if stamp.year in _YEARS else None
