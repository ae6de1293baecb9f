"""The numbers of an account at Twilio: what is for sale, what it owns, what it refuses; over HTTP.

As twilio.com/docs/phone-numbers/api describes it, and with the faults that it has in the field: a
number that is sold twice goes to one, an answer may be lost after the deed was done.
"""

import re
import secrets
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from werkzeug.wrappers import Request, Response

from tests.services.twilio_account import Handler, Record, TwilioAccountServer, document, problem

_LONGEST_NAME = 64
_SETTINGS = {
    "FriendlyName": "friendly_name",
    "VoiceUrl": "voice_url",
    "VoiceMethod": "voice_method",
    "VoiceFallbackUrl": "voice_fallback_url",
    "VoiceFallbackMethod": "voice_fallback_method",
    "StatusCallback": "status_callback",
    "StatusCallbackMethod": "status_callback_method",
    "VoiceApplicationSid": "voice_application_sid",
    "TrunkSid": "trunk_sid",
    "AddressSid": "address_sid",
    "BundleSid": "bundle_sid",
}
Hook = Callable[[Request], Response | None]


@dataclass(frozen=True, slots=True)
class Trouble:
    """What becomes of the next request that fits: before it is done, or after (its answer is lost)."""

    method: str
    path: str
    hook: Hook
    after: bool = False

    def fits(self, request: Request) -> bool:
        return self.method == request.method and re.search(self.path, request.full_path) is not None


@dataclass(slots=True)
class TwilioNumbersServer(TwilioAccountServer):
    """An account that can buy; `market` is for sale, `owned` is its own, by SID."""

    market: dict[str, str] = field(default_factory=dict)
    """E.164 → kind (`Local`, `TollFree`, `Mobile`)."""
    owned: dict[str, Record] = field(default_factory=dict)
    refuses: dict[str, int] = field(default_factory=dict)
    """What buying a number is refused with, by E.164."""
    gone: set[str] = field(default_factory=set)
    """Still offered, but somebody else has them."""
    troubles: list[Trouble] = field(default_factory=list)
    writes: list[str] = field(default_factory=list)
    """Method and path of each request that is not GET."""
    bought: list[str] = field(default_factory=list)
    """Every number that was sold to the account, in order."""
    before: Callable[[str], object] = field(default=lambda _request: None)
    """Hears of each request before it is done."""
    after: Callable[[str], object] = field(default=lambda _request: None)
    """Hears of each request when it is done and nothing is answered yet."""
    busiest: int = 0
    """Most requests at the same time."""
    _now: int = 0
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def routes(self) -> Iterator[tuple[str, str, Handler]]:
        # Not super(): a dataclass with slots is made anew, and its methods would not find it.
        yield from TwilioAccountServer.routes(self)
        yield "GET", r"/AvailablePhoneNumbers/(\w+)/(\w+)\.json", self._offer
        yield "GET", r"/IncomingPhoneNumbers\.json", self._list_numbers
        yield "POST", r"/IncomingPhoneNumbers\.json", self._sell
        yield "GET", r"/IncomingPhoneNumbers/(\w+)\.json", self._show_number
        yield "POST", r"/IncomingPhoneNumbers/(\w+)\.json", self._set_up
        yield "DELETE", r"/IncomingPhoneNumbers/(\w+)\.json", self._take_back

    def clear_out(self) -> None:
        """Forget all that was sold, refused and asked for."""
        for kept in (self.market, self.owned, self.refuses, self.gone):
            kept.clear()
        for heard in (self.troubles, self.writes, self.bought):
            heard.clear()

    def sell(self, *numbers: str, kind: str = "Local") -> None:
        """Put numbers up for sale."""
        self.market |= dict.fromkeys(numbers, kind)

    def own(self, number: str, **said: str) -> str:
        """Let the account own a number; return its SID."""
        sid = "PN" + secrets.token_hex(16)
        plain = dict.fromkeys(_SETTINGS.values(), "")
        methods = {name: "POST" for name in plain if name.endswith("_method")}
        self.owned[sid] = (
            plain | methods | {"sid": sid, "phone_number": number, "friendly_name": number} | said
        )
        return sid

    @property
    def numbers(self) -> list[str]:
        """What the account owns."""
        with self._lock:
            return sorted(record["phone_number"] for record in self.owned.values())

    def _answer(self, request: Request) -> Response:
        told = f"{request.method} {request.path}"
        with self._lock:
            self._now += 1
            self.busiest = max(self.busiest, self._now)
            if request.method != "GET":
                self.writes.append(told)
        try:
            self.before(told)
            answer = self._spoiled(request, after=False) or self._served(request)
            self.after(told)
            return self._spoiled(request, after=True) or answer
        finally:
            with self._lock:
                self._now -= 1

    def _served(self, request: Request) -> Response:
        if priced := re.fullmatch(r"/v1/PhoneNumbers/Countries/(\w+)", request.path):
            return self._price(priced[1])
        return TwilioAccountServer._answer(self, request)

    def _spoiled(self, request: Request, *, after: bool) -> Response | None:
        with self._lock:
            fitting = [t for t in self.troubles if t.after is after and t.fits(request)]
            if not fitting:
                return None
            self.troubles.remove(fitting[0])
        return fitting[0].hook(request)

    def _price(self, country: str) -> Response:
        if country != "US":
            return problem(404, 20404, "not found")
        prices = [("local", "1.15"), ("toll free", "2.15")]
        shown = [{"number_type": kind, "base_price": p, "current_price": p} for kind, p in prices]
        return document({"country": "United States", "phone_number_prices": shown, "price_unit": "USD"})

    def _offer(self, request: Request, country: str, kind: str) -> Response:
        wanted = request.args
        area, contains = wanted.get("AreaCode"), wanted.get("Contains", "")
        if area is not None and not re.fullmatch("[0-9]{3}", area):
            return problem(400, 21451, "Invalid area code")
        digits = re.compile(contains.replace("*", "[0-9]"))
        with self._lock:
            found = [
                {
                    "phone_number": number,
                    "locality": "San Francisco",
                    "region": "CA",
                    "iso_country": country,
                    "address_requirements": "none",
                    "capabilities": {"voice": True},
                }
                for number, its_kind in self.market.items()
                if its_kind == kind
                and (area is None or number.startswith(f"+1{area}"))
                and digits.search(number)
            ]
        return document({"available_phone_numbers": found[: int(wanted.get("PageSize", 50))]})

    def _list_numbers(self, request: Request) -> Response:
        number, name = request.args.get("PhoneNumber"), request.args.get("FriendlyName")
        with self._lock:
            found = [
                record
                for record in reversed(self.owned.values())
                if (number is None or record["phone_number"] == number)
                and (name is None or record["friendly_name"] == name)
            ]
            return self.page(request, "incoming_phone_numbers", found)

    def _sell(self, request: Request) -> Response:
        number = request.form.get("PhoneNumber", "")
        with self._lock:
            if code := self.refuses.get(number):
                return problem(400, code, "refused")
            if number not in self.market or number in self.gone:
                return problem(400, 21422, f"{number} is not available")
            if bad := _bad(request):
                return bad
            del self.market[number]
            sid = self.own(number, **_said(request))
            self.bought.append(number)
            return document(self.owned[sid], 201)

    def _show_number(self, _request: Request, sid: str) -> Response:
        with self._lock:
            if sid not in self.owned:
                return problem(404, 20404, "not found")
            return document(self.owned[sid])

    def _set_up(self, request: Request, sid: str) -> Response:
        with self._lock:
            if sid not in self.owned:
                return problem(404, 20404, "not found")
            if bad := _bad(request):
                return bad
            said = _said(request)
            # Setting one deletes the other.
            for one, other in (
                ("voice_application_sid", "trunk_sid"),
                ("trunk_sid", "voice_application_sid"),
            ):
                if said.get(one):
                    said[other] = ""
            self.owned[sid] |= said
            return document(self.owned[sid])

    def _take_back(self, _request: Request, sid: str) -> Response:
        with self._lock:
            if sid not in self.owned:
                return problem(404, 20404, "not found")
            number = self.owned.pop(sid)["phone_number"]
            self.market[number] = "Local"
            return Response(status=204)


def _said(request: Request) -> Record:
    return {_SETTINGS[name]: value for name, value in request.form.items() if name in _SETTINGS}


def _bad(request: Request) -> Response | None:
    unknown = set(request.form) - _SETTINGS.keys() - {"PhoneNumber"}
    if unknown or len(request.form.get("FriendlyName", "")) > _LONGEST_NAME:
        # Stricter than Twilio, which ignores what it does not know: a misspelt name would go unnoticed.
        return problem(400, 20001, f"bad parameters {unknown}")
    return None
