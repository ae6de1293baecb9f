"""A call as the carrier's own record has it, which is asked where the carrier's reports did not come."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from msgspec.structs import replace

from routing.events import CallEvent, CallUpdate, EventKind
from routing.numbers import PhoneNumber


@dataclass(frozen=True, slots=True)
class CarrierCall:
    """A caller's call, or one leg of it to the business."""

    carrier: str
    call_sid: str
    parent_sid: str | None
    """The call that a leg belongs to; None: it is the caller's own."""
    status: str
    """The carrier's word."""
    dialled: PhoneNumber | None
    """Of a call the tracking number, of a leg the business's."""
    dialled_text: str = field(repr=False)
    """What the carrier has instead of an E.164 number, shortened; empty where `dialled` is set."""
    caller: PhoneNumber | None
    began_at: datetime
    """Aware UTC."""
    ended_at: datetime | None
    """None: it is still on, or its end is not known."""
    update: CallUpdate
    """What the record says of the call it belongs to."""
    raw: Mapping[str, str] = field(repr=False)
    """The record as the carrier wrote it; phone numbers are not masked."""

    def event(self, at: datetime) -> CallEvent:
        """What the record says, as read at the instant `at`; the same each time a record is read."""
        if self.parent_sid is None:
            kind, subject, call_sid = EventKind.CALL, "call", self.call_sid
        else:
            kind, subject, call_sid = EventKind.LEG, f"leg:{self.call_sid}", self.parent_sid
        return CallEvent(
            self.carrier,
            call_sid,
            kind,
            f"record:{subject}:{self.status}",
            self.ended_at,
            at,
            replace(self.update, reconciled_at=at),
            self.raw,
        )
