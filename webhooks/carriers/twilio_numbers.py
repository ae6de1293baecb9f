"""The numbers of our account at Twilio: look for them, buy, set up, list, give back. Slow to import.

twilio.com/docs/phone-numbers/api: AvailablePhoneNumber and IncomingPhoneNumber resources; prices from
twilio.com/docs/phone-numbers/pricing.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

import structlog

from routing.numbers import NotE164, PhoneNumber
from webhooks.carriers.carrier_number import NumberType, Offer, OwnedNumber, Price, VoiceAddresses, Wanted
from webhooks.carriers.errors import CarrierUnavailable, CredentialsRefused, NotAvailable, Refused
from webhooks.carriers.twilio_rest import (
    NO_SUCH_RESOURCE,
    NOT_FOUND,
    OK,
    Record,
    TwilioRest,
    other_domain,
    right,
)

log = structlog.get_logger()

_PAGE = 1000
"""Numbers; the most that Twilio gives at once."""
LONGEST_LABEL = 64
_KINDS: dict[NumberType, str] = {"local": "Local", "toll-free": "TollFree", "mobile": "Mobile"}
_PRICED: dict[NumberType, str] = {"local": "local", "toll-free": "toll free", "mobile": "mobile"}
_GONE = frozenset({21422, 21421})
_OUR_SIDE = 400
_THEIR_SIDE = 500

# twilio.com/docs/api/errors/<code>
_ADVICE = {
    21631: "wants an address for this number: create one in its console and give its SID as address SID",
    21613: "wants an address on file for this number: create one in its console, give its SID as address SID",
    21615: "wants a local address for this number: create one there and give its SID as address SID",
    21649: "wants a regulatory bundle for this number: have one approved in its console, then give its SID"
    " as bundle SID",
    21651: "does not take this address for the bundle: see both in its console",
    21404: "gives a trial account one number only: upgrade the account in its console",
    10002: "does not do this for a trial account: upgrade the account in its console",
    21451: "knows no such area code",
    20404: "has no such kind of number in this country, or no such account",
}


class TwilioNumbers:
    """Every method raises `CarrierUnavailable`, `CredentialsRefused` and `Refused`."""

    name = "twilio"

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        base_url: str,
        *,
        pause: Callable[[float], object] = time.sleep,
        trust_environment: bool = True,
        timeout: float | None = None,
    ) -> None:
        def rest(url: str) -> TwilioRest:
            return TwilioRest(
                account_sid,
                auth_token,
                url,
                pause=pause,
                trust_environment=trust_environment,
                timeout=timeout,
            )

        self._rest = rest(base_url)
        self._pricing = rest(other_domain(base_url, "pricing"))
        self._owned = f"{self._rest.account}/IncomingPhoneNumbers"

    def search(self, wanted: Wanted, limit: int) -> Sequence[Offer]:
        """Numbers with voice that can be bought now, at most `limit` (1 to 1,000)."""
        asked: dict[str, object] = {"VoiceEnabled": "true", "PageSize": limit}
        filters = {
            "AreaCode": wanted.area_code,
            "Contains": wanted.contains,
            "InRegion": wanted.region,
            "NearNumber": None if wanted.near is None else wanted.near.e164,
        }
        asked |= {name: value for name, value in filters.items() if value is not None}
        path = f"{self._rest.account}/AvailablePhoneNumbers/{wanted.country}/{_KINDS[wanted.kind]}.json"
        status, answer = self._rest.ask(path, asked)
        found = _done(status, answer).get("available_phone_numbers")
        if not isinstance(found, list):
            raise CarrierUnavailable("answers with something else than a list")
        return [offer for record in found[:limit] if (offer := _offer_in(record)) is not None]

    def price(self, country: str, kind: NumberType) -> Price | None:
        """What such a number costs a month, where the carrier says so."""
        try:
            status, answer = self._pricing.ask(f"/v1/PhoneNumbers/Countries/{country}")
            for priced in right(status, answer)["phone_number_prices"]:
                if priced["number_type"] == _PRICED[kind]:
                    return Price(Decimal(priced["current_price"]), str(answer["price_unit"]))
        except (CarrierUnavailable, CredentialsRefused, LookupError, TypeError, InvalidOperation):
            pass  # the plan says that it is not known; nothing hangs on it
        return None

    def buy(
        self,
        number: PhoneNumber,
        label: str,
        addresses: VoiceAddresses,
        *,
        address_sid: str | None = None,
        bundle_sid: str | None = None,
    ) -> OwnedNumber:
        """Buy `number`, named `label` and pointing at us from its first moment on.

        Raises `NotAvailable`; after `CarrierUnavailable` it may be ours all the same, so look whether
        it is. Buying one that is ours already is refused as not available.
        """
        said: dict[str, object] = {"PhoneNumber": number.e164} | _settings(label, addresses)
        said |= {} if address_sid is None else {"AddressSid": address_sid}
        said |= {} if bundle_sid is None else {"BundleSid": bundle_sid}
        return _owned_in(_done(*self._rest.change(f"{self._owned}.json", said)))

    def configure(
        self, sid: str, label: str | None, addresses: VoiceAddresses, *, detach: bool = True
    ) -> OwnedNumber | None:
        """Point a number of ours at us, and read back what came of it; None: it is not ours any more.

        `detach` takes away the application or trunk that would make its voice address ignored.
        """
        status, answer = self._rest.change(f"{self._owned}/{sid}.json", _settings(label, addresses))
        if _is_gone(status, answer):
            return None
        _done(status, answer)
        owned = self.by_sid(sid)
        if owned is None or not detach or not (owned.application or owned.trunk):
            return owned
        taken_away: dict[str, object] = {name: "" for name, sid_there in _diverting(owned) if sid_there}
        _done(*self._rest.change(f"{self._owned}/{sid}.json", taken_away))
        return self.by_sid(sid)

    def by_sid(self, sid: str) -> OwnedNumber | None:
        status, answer = self._rest.ask(f"{self._owned}/{sid}.json")
        return None if _is_gone(status, answer) else _owned_in(_done(status, answer))

    def owned(self, number: PhoneNumber) -> OwnedNumber | None:
        """That number, if it is ours."""
        for page in self.all(PhoneNumber=number.e164):
            for found in page:
                if found.number == number:
                    return found
        return None

    def labelled(self, label: str) -> Iterator[OwnedNumber]:
        """Our numbers that are named exactly so."""
        for page in self.all(FriendlyName=label):
            yield from (found for found in page if found.label == label)

    def all(self, **wanted: object) -> Iterator[Sequence[OwnedNumber]]:
        """All numbers of the account, a page at a time; what cannot be read is left out."""
        for records in self._rest.pages(
            f"{self._owned}.json", "incoming_phone_numbers", wanted | {"PageSize": _PAGE}
        ):
            yield [found for record in records if (found := _readable(record)) is not None]

    def release(self, sid: str) -> None:
        """Give a number back; done already is no error."""
        status, answer = self._rest.remove(f"{self._owned}/{sid}.json")
        if not _is_gone(status, answer):
            _done(status, answer)


def _settings(label: str | None, addresses: VoiceAddresses) -> dict[str, object]:
    named: dict[str, object] = {} if label is None else {"FriendlyName": label[:LONGEST_LABEL]}
    return named | {
        "VoiceUrl": addresses.voice,
        "VoiceMethod": "POST",
        "VoiceFallbackUrl": addresses.fallback,
        "VoiceFallbackMethod": "POST",
        "StatusCallback": addresses.status,
        "StatusCallbackMethod": "POST",
    }


def _diverting(owned: OwnedNumber) -> tuple[tuple[str, str], ...]:
    return ("VoiceApplicationSid", owned.application), ("TrunkSid", owned.trunk)


def _is_gone(status: int, answer: Record) -> bool:
    return status == NOT_FOUND and answer.get("code") == NO_SUCH_RESOURCE


def _done(status: int, answer: Record) -> Record:
    """What was answered, if it was done; else why not."""
    if status in OK:
        return answer
    code = answer.get("code")
    if code in _GONE:
        raise NotAvailable
    if not _OUR_SIDE <= status < _THEIR_SIDE or not isinstance(code, int):
        raise CarrierUnavailable(f"answers {status}")
    advice = _ADVICE.get(code, "refuses: see what the code means at twilio.com/docs/api/errors")
    raise Refused(f"{advice} (its code {code})")


def _offer_in(record: Any) -> Offer | None:  # noqa: ANN401 - whatever the carrier sends
    try:
        return Offer(
            number=PhoneNumber(record["phone_number"]),
            locality=str(record.get("locality") or ""),
            region=str(record.get("region") or ""),
            country=str(record.get("iso_country") or ""),
            address_required=str(record.get("address_requirements") or "none"),
        )
    except (NotE164, LookupError, TypeError, AttributeError):
        log.warning("carrier.unreadable_offer")
        return None


def _readable(record: Record) -> OwnedNumber | None:
    try:
        return _owned_in(record)
    except CarrierUnavailable:
        log.warning("carrier.unreadable_number", sid=str(record.get("sid"))[:34])
        return None


def _owned_in(record: Record) -> OwnedNumber:
    """Read an IncomingPhoneNumber; a thing without number and SID is no answer that can be used."""
    try:
        number, sid = PhoneNumber(str(record["phone_number"])), str(record["sid"])
    except (NotE164, LookupError):
        raise CarrierUnavailable("answers with something else than a number") from None

    def text(name: str) -> str:
        return str(record.get(name) or "")

    return OwnedNumber(
        number=number,
        sid=sid,
        label=text("friendly_name"),
        addresses=VoiceAddresses(text("voice_url"), text("voice_fallback_url"), text("status_callback")),
        methods=(text("voice_method"), text("voice_fallback_method"), text("status_callback_method")),
        application=text("voice_application_sid"),
        trunk=text("trunk_sid"),
    )
