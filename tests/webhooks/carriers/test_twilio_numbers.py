"""Twilio's numbers, one exchange each: what is sent, what each answer means."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs

import pytest
import responses

from routing.numbers import PhoneNumber
from tests.builders import TRACKING
from webhooks.carriers.carrier_number import OwnedNumber, Price, VoiceAddresses, Wanted
from webhooks.carriers.errors import CarrierUnavailable, CredentialsRefused, NotAvailable, Refused
from webhooks.carriers.twilio_numbers import TwilioNumbers
from webhooks.carriers.twilio_rest import other_domain

ACCOUNT = "AC" + "5" * 32
API = "https://api.twilio.com"
OWNED = f"{API}/2010-04-01/Accounts/{ACCOUNT}/IncomingPhoneNumbers"
FOR_SALE = f"{API}/2010-04-01/Accounts/{ACCOUNT}/AvailablePhoneNumbers"
ADDRESSES = VoiceAddresses(
    "https://a.example.com/voice#rc=1", "https://b.example.com/", "https://c.example.com/"
)
RECORD = {
    "sid": "PN1",
    "phone_number": TRACKING.e164,
    "friendly_name": "Leaflet",
    "voice_url": ADDRESSES.voice,
    "voice_method": "POST",
    "voice_fallback_url": ADDRESSES.fallback,
    "voice_fallback_method": "POST",
    "status_callback": ADDRESSES.status,
    "status_callback_method": "POST",
    "voice_application_sid": None,
    "trunk_sid": None,
}


@pytest.fixture
def twilio() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


@pytest.fixture
def numbers() -> TwilioNumbers:
    return TwilioNumbers(ACCOUNT, "token", API, pause=lambda _seconds: None)


def sent(twilio: responses.RequestsMock, place: int = 0) -> dict[str, list[str]]:
    return parse_qs(str(twilio.calls[place].request.body), keep_blank_values=True)


def test_a_number_is_bought_with_its_addresses(
    twilio: responses.RequestsMock, numbers: TwilioNumbers
) -> None:
    twilio.post(f"{OWNED}.json", status=201, json=RECORD)
    owned = numbers.buy(TRACKING, "order", ADDRESSES, address_sid="AD1")
    assert owned == OwnedNumber(TRACKING, "PN1", "Leaflet", ADDRESSES)
    assert sent(twilio) == {
        "PhoneNumber": [TRACKING.e164],
        "FriendlyName": ["order"],
        "VoiceUrl": [ADDRESSES.voice],
        "VoiceMethod": ["POST"],
        "VoiceFallbackUrl": [ADDRESSES.fallback],
        "VoiceFallbackMethod": ["POST"],
        "StatusCallback": [ADDRESSES.status],
        "StatusCallbackMethod": ["POST"],
        "AddressSid": ["AD1"],
    }


def test_a_set_up_is_read_back_and_takes_away_what_would_hide_it(
    twilio: responses.RequestsMock, numbers: TwilioNumbers
) -> None:
    twilio.post(f"{OWNED}/PN1.json", json=RECORD)
    twilio.get(f"{OWNED}/PN1.json", json=RECORD | {"trunk_sid": "TK1"})
    owned = numbers.configure("PN1", "x" * 70, ADDRESSES)
    assert owned is not None
    assert (owned.trunk, owned.is_answered_by(ADDRESSES)) == ("TK1", False)
    assert sent(twilio)["FriendlyName"] == ["x" * 64]
    assert [call.request.method for call in twilio.calls] == ["POST", "GET", "POST", "GET"]
    assert sent(twilio, 2) == {"TrunkSid": [""]}


@pytest.mark.parametrize(
    ("status", "code", "error", "told"),
    [
        (400, 21422, NotAvailable, "not available"),
        (400, 21421, NotAvailable, "not available"),
        (400, 21631, Refused, "as address SID"),
        (400, 21649, Refused, "as bundle SID"),
        (400, 21404, Refused, "trial"),
        (403, 10002, Refused, "trial"),
        (400, 21999, Refused, "its code 21999"),
        (404, 20404, Refused, "no such kind of number"),
        (403, 20003, CredentialsRefused, "refuses the account"),
        (401, 20003, CredentialsRefused, "refuses the account"),
        (500, 20500, CarrierUnavailable, "answers 500"),
        (404, None, CarrierUnavailable, "answers 404"),
    ],
)
def test_each_refusal_says_what_it_means(  # noqa: PLR0917 - fixtures and cases
    twilio: responses.RequestsMock,
    numbers: TwilioNumbers,
    status: int,
    code: int | None,
    error: type[Exception],
    told: str,
) -> None:
    twilio.post(f"{OWNED}.json", status=status, json={"code": code, "message": "no", "status": status})
    with pytest.raises(error, match=told):
        numbers.buy(TRACKING, "order", ADDRESSES)
    assert len(twilio.calls) == 1


def test_a_purchase_is_not_sent_twice_after_503_and_is_after_429(
    twilio: responses.RequestsMock, numbers: TwilioNumbers
) -> None:
    twilio.post(f"{OWNED}.json", status=429, json={"code": 20429})
    twilio.post(f"{OWNED}.json", status=503, json={"code": 20503})
    with pytest.raises(CarrierUnavailable, match="answers 503"):
        numbers.buy(TRACKING, "order", ADDRESSES)
    assert len(twilio.calls) == 2


@pytest.mark.parametrize("answer", [{}, {"sid": "PN1"}, {"sid": "PN1", "phone_number": "12345"}])
def test_an_answer_without_a_number_leaves_open_whether_it_was_bought(
    twilio: responses.RequestsMock, numbers: TwilioNumbers, answer: dict[str, str]
) -> None:
    twilio.post(f"{OWNED}.json", status=201, json=answer)
    with pytest.raises(CarrierUnavailable):
        numbers.buy(TRACKING, "order", ADDRESSES)


@pytest.mark.parametrize(
    ("kind", "path"), [("local", "Local"), ("toll-free", "TollFree"), ("mobile", "Mobile")]
)
def test_a_search_asks_for_what_is_wanted(
    twilio: responses.RequestsMock, numbers: TwilioNumbers, kind: Any, path: str
) -> None:
    asked = {
        "VoiceEnabled": "true",
        "PageSize": "5",
        "AreaCode": "415",
        "Contains": "55*",
        "InRegion": "CA",
        "NearNumber": "+14155550123",
    }
    offer = {"phone_number": TRACKING.e164, "locality": None, "region": "CA", "iso_country": "US"}
    answer = {"available_phone_numbers": [offer, {"phone_number": "12345"}, None]}
    matching = [responses.matchers.query_param_matcher(asked)]
    twilio.get(f"{FOR_SALE}/US/{path}.json", json=answer, match=matching)
    wanted = Wanted("US", kind, "415", "55*", "CA", PhoneNumber("+14155550123"))
    (found,) = numbers.search(wanted, 5)
    assert (found.number, found.locality, found.address_required) == (TRACKING, "", "none")


def test_prices_come_from_the_pricing_api_where_there_are_any(
    twilio: responses.RequestsMock, numbers: TwilioNumbers
) -> None:
    prices = "https://pricing.twilio.com/v1/PhoneNumbers/Countries/US"
    shown = [{"number_type": "toll free", "base_price": "2.15", "current_price": "2.10"}]
    twilio.get(prices, json={"phone_number_prices": shown, "price_unit": "USD"})
    assert numbers.price("US", "toll-free") == Price(Decimal("2.10"), "USD")
    assert numbers.price("US", "mobile") is None
    twilio.replace(responses.GET, prices, status=401, json={})
    assert numbers.price("US", "local") is None


def test_other_apis_are_looked_for_at_twilio_only() -> None:
    assert (
        other_domain("https://api.dublin.ie1.twilio.com", "pricing")
        == "https://pricing.dublin.ie1.twilio.com"
    )
    assert other_domain("http://127.0.0.1:4010", "pricing") == "http://127.0.0.1:4010"
    assert (
        other_domain("https://api.twilio.com.example.com", "pricing") == "https://api.twilio.com.example.com"
    )


def test_a_list_leaves_out_what_is_no_number(twilio: responses.RequestsMock, numbers: TwilioNumbers) -> None:
    records = [RECORD, RECORD | {"phone_number": "12345"}]
    twilio.get(f"{OWNED}.json", json={"incoming_phone_numbers": records, "next_page_uri": None})
    assert [[owned.sid for owned in page] for page in numbers.all()] == [["PN1"]]


def test_what_was_given_back_already_is_no_error(
    twilio: responses.RequestsMock, numbers: TwilioNumbers
) -> None:
    twilio.delete(f"{OWNED}/PN1.json", status=204)
    numbers.release("PN1")
    twilio.replace(responses.DELETE, f"{OWNED}/PN1.json", status=404, json={"code": 20404})
    numbers.release("PN1")
    twilio.get(f"{OWNED}/PN1.json", status=404, json={"code": 20404})
    assert numbers.by_sid("PN1") is None
    twilio.post(f"{OWNED}/PN1.json", status=404, json={"code": 20404})
    assert numbers.configure("PN1", None, ADDRESSES) is None


def test_advice_on_time_outs_is_no_other_address() -> None:
    wanted = VoiceAddresses("https://a.example.com/voice", ADDRESSES.fallback, ADDRESSES.status)
    owned = OwnedNumber(TRACKING, "PN1", "", ADDRESSES)
    assert owned.differs_from(wanted) == ()
    other = VoiceAddresses("https://a.example.com/voices", ADDRESSES.fallback, ADDRESSES.status)
    assert owned.differs_from(other) == ("voice",)
