"""An inbound call as the carrier announced it."""

from datetime import datetime

from msgspec import Struct

from routing.numbers import PhoneNumber


class InboundCall(Struct, frozen=True):
    """One call that arrives at a tracking number; (`carrier`, `call_sid`) names it for ever."""

    carrier: str
    call_sid: str
    received_at: datetime
    """Aware UTC: the instant the decision is made for."""
    dialled: PhoneNumber | None
    """The tracking number; None where the carrier named no E.164 number."""
    dialled_text: str = ""
    """What the carrier wrote instead of an E.164 number, shortened; empty where `dialled` is set."""
    caller: PhoneNumber | None = None
    """None: withheld, or not a phone number."""
    caller_city: str | None = None
    caller_state: str | None = None
    caller_country: str | None = None
    attestation: str | None = None
    """Twilio's StirVerstat, as sent."""
    forwarded_from: PhoneNumber | None = None

    def __repr__(self) -> str:
        """Without `dialled_text`, which may hold a phone number that nothing masks."""
        return f"InboundCall({self.carrier} {self.call_sid}, {self.caller} to {self.dialled})"
