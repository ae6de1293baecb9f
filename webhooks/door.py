"""The door: what every carrier request must pass before anyone acts on it."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

from routing.call import InboundCall
from webhooks import replies
from webhooks.carriers.errors import ForeignAccount, Malformed
from webhooks.carriers.form import Form, TooManyFields, parse_form
from webhooks.replies import Reply
from webhooks.requests import LARGEST_BODY, CarrierRequest

_FORM = "application/x-www-form-urlencoded"


class Carrier(Protocol):
    """What the door needs of a carrier; the last two raise `Malformed` and `ForeignAccount`."""

    def is_authentic(self, request: CarrierRequest, form: Form) -> bool: ...
    def check_account(self, form: Form) -> None: ...
    def inbound_call(self, form: Form, received_at: datetime) -> InboundCall: ...


class Refused(Exception):
    """The request goes no further; `reply` is the answer it gets."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status.phrase)
        self.reply = reply


class Door:
    """Admits authentic requests of one carrier and counts the others. Stores nothing."""

    def __init__(self, carrier: Carrier, count: Callable[[str], None] = lambda _reason: None) -> None:
        self._carrier = carrier
        self._count = count

    def admit(self, request: CarrierRequest) -> Form:
        """Return the request's form, whose signature is right; raise `Refused`."""
        if request.method != "POST":
            raise self._refused("method", replies.METHOD_NOT_ALLOWED)
        if request.content_type != _FORM and request.content_type.partition(";")[0].strip().lower() != _FORM:
            raise self._refused("content_type", replies.NOT_A_FORM)
        if len(request.body) > LARGEST_BODY:
            raise self._refused("too_large", replies.TOO_LARGE)
        try:
            form = parse_form(request.body)
        except TooManyFields:
            raise self._refused("too_many_fields", replies.TOO_LARGE) from None
        if not self._carrier.is_authentic(request, form):
            raise self._refused("signature", replies.FORBIDDEN)
        return form

    def check_account(self, form: Form) -> None:
        """Raise `Refused` unless the request speaks for our account."""
        try:
            self._carrier.check_account(form)
        except (ForeignAccount, Malformed) as error:
            raise self.untakeable(error) from None

    def call_in(self, form: Form, received_at: datetime) -> InboundCall:
        """Return the call that an admitted request announces; raise `Refused`."""
        try:
            return self._carrier.inbound_call(form, received_at)
        except (ForeignAccount, Malformed) as error:
            raise self.untakeable(error) from None

    def untakeable(self, error: ForeignAccount | Malformed) -> Refused:
        """Count a request that is authentic and yet not for us, and say what it gets."""
        match error:
            case ForeignAccount():
                return self._refused("account", replies.FORBIDDEN)
            case Malformed():
                return self._refused("malformed", replies.MALFORMED)

    def _refused(self, reason: str, reply: Reply) -> Refused:
        self._count(reason)
        return Refused(reply)


def rehearsed_instant(form: Form, field: str) -> datetime | None:
    """The aware instant that `field` names, or None where it names none."""
    text = form.text(field)
    if not text:
        return None
    try:
        instant = datetime.fromisoformat(text)
        return instant.astimezone(UTC) if instant.tzinfo else None
    except (ValueError, OverflowError):
        return None
