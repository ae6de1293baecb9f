"""Our account over REST: pages, patience with a busy carrier, and what is no answer at all."""

import json
from collections.abc import Iterator
from datetime import timedelta

import pytest
import responses

from tests.builders import BUSINESS, NOW, TRACKING
from tests.services.ports import free_port
from tests.services.twilio_account import (
    Fault,
    TwilioAccountServer,
    busy,
    dripping,
    late,
    saying,
)
from webhooks.carriers import twilio_account, twilio_http
from webhooks.carriers.errors import CarrierUnavailable, CredentialsRefused, Malformed
from webhooks.carriers.twilio_account import TwilioRestAccount

ACCOUNT = "AC" + "5" * 32
TOKEN = "0123456789abcdef"
SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)
SPAN = NOW - HOUR, NOW + HOUR


@pytest.fixture
def twilio() -> Iterator[TwilioAccountServer]:
    with TwilioAccountServer(ACCOUNT, TOKEN) as server:
        yield server


@pytest.fixture
def pauses() -> list[float]:
    """How long was waited before another try; nobody really waits."""
    return []


@pytest.fixture
def account(twilio: TwilioAccountServer, pauses: list[float]) -> TwilioRestAccount:
    return an_account(twilio.origin, pauses)


def an_account(origin: str, pauses: list[float], token: str = TOKEN) -> TwilioRestAccount:
    return TwilioRestAccount(ACCOUNT, token, origin, pause=pauses.append, trust_environment=False)


def sids(account: TwilioRestAccount) -> list[str]:
    return [call.call_sid for page in account.calls(*SPAN) for call in page]


def test_calls_come_page_after_page_without_legs_and_calls_of_our_own(
    twilio: TwilioAccountServer, account: TwilioRestAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twilio_account, "_PAGE", 3)
    wanted = []
    for serial in range(5):
        wanted.append(twilio.add_call(TRACKING.e164, NOW + serial * SECOND))
        twilio.add_leg(wanted[-1], BUSINESS.e164, NOW + serial * SECOND)
    twilio.add_call(BUSINESS.e164, NOW, direction="outbound-api")
    assert sids(account) == wanted[::-1]
    assert len(twilio.requests) == 4
    assert all("StartTime%3E=2026-03-04T11%3A00%3A00Z" in request for request in twilio.requests)


@pytest.mark.parametrize(
    ("begins", "comes"),
    [(-HOUR - SECOND, False), (-HOUR, True), (HOUR - SECOND, True), (HOUR, False), (HOUR + SECOND, False)],
)
def test_since_is_included_and_until_is_not(
    twilio: TwilioAccountServer,
    account: TwilioRestAccount,
    begins: timedelta,
    comes: bool,  # noqa: FBT001
) -> None:
    twilio.add_call(TRACKING.e164, NOW + begins)
    assert bool(sids(account)) == comes


def test_a_span_that_ends_at_midnight_or_later_misses_no_call_where_only_days_count(
    twilio: TwilioAccountServer, account: TwilioRestAccount
) -> None:
    list(account.calls(NOW, NOW + HOUR))
    assert "StartTime%3C=2026-03-05T00%3A00%3A00Z" in twilio.requests[0]


def test_a_call_has_its_own_legs(twilio: TwilioAccountServer, account: TwilioRestAccount) -> None:
    mine, other = (twilio.add_call(TRACKING.e164, NOW) for _ in range(2))
    legs = [twilio.add_leg(mine, BUSINESS.e164, NOW + n * SECOND) for n in range(2)]
    twilio.add_leg(other, BUSINESS.e164, NOW)
    assert [leg.call_sid for leg in account.legs_of(mine)] == legs[::-1]


def test_legs_that_stand_beside_their_call_in_the_list_are_not_asked_for(
    twilio: TwilioAccountServer, account: TwilioRestAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twilio_account, "_PAGE", 3)
    legs = {}
    for serial in range(4):
        sid = twilio.add_call(TRACKING.e164, NOW + serial * SECOND)
        legs[sid] = twilio.add_leg(sid, BUSINESS.e164, NOW + serial * SECOND)
    for page in account.calls(*SPAN):
        for call in page:
            assert [leg.call_sid for leg in account.legs_of(call.call_sid)] == [legs[call.call_sid]]
    assert not any("ParentCallSid" in request for request in twilio.requests)
    account.legs_of(sid)
    assert "ParentCallSid" in twilio.requests[-1]


def test_a_leg_that_had_not_ended_when_it_was_listed_is_asked_for(
    twilio: TwilioAccountServer, account: TwilioRestAccount
) -> None:
    call = twilio.add_call(TRACKING.e164, NOW)
    twilio.add_leg(call, BUSINESS.e164, NOW, None)
    for _page in account.calls(*SPAN):
        twilio.calls[-1]["status"] = "busy"
        (leg,) = account.legs_of(call)
        assert leg.status == "busy"


def test_a_call_is_found_by_its_sid_or_it_is_not_there(
    twilio: TwilioAccountServer, account: TwilioRestAccount
) -> None:
    call = account.call(twilio.add_call(TRACKING.e164, NOW))
    assert call is not None
    assert call.dialled == TRACKING
    assert account.call("CA" + "0" * 32) is None


@pytest.mark.parametrize("body", [b"<html>not here</html>", b'{"code": 11200}', b"[]"])
def test_a_404_that_is_not_the_carriers_own_says_nothing_about_a_call(
    twilio: TwilioAccountServer, account: TwilioRestAccount, body: bytes
) -> None:
    twilio.spoiled.extend([saying(body, 404)] * 2)
    with pytest.raises(CarrierUnavailable, match="answers 404"):
        account.call("CA" + "0" * 32)
    with pytest.raises(CarrierUnavailable, match="answers 404"):
        sids(account)


def test_a_call_whose_record_cannot_be_read_is_not_taken_for_one_that_is_not_there(
    twilio: TwilioAccountServer, account: TwilioRestAccount
) -> None:
    call = twilio.add_call(TRACKING.e164, NOW, status="")
    with pytest.raises(Malformed, match="status"):
        account.call(call)


@pytest.mark.parametrize("fault", [busy(429), busy(503), saying(b"", 503)], ids=["429", "503", "bare 503"])
def test_a_busy_carrier_is_asked_again_after_longer_and_longer_pauses(
    twilio: TwilioAccountServer, account: TwilioRestAccount, pauses: list[float], fault: Fault
) -> None:
    twilio.spoiled.extend([fault] * 4)
    call = twilio.add_call(TRACKING.e164, NOW)
    assert sids(account) == [call]
    for pause, whole in zip(pauses, (0.5, 1, 2, 4), strict=True):
        assert whole / 2 <= pause <= whole


def test_a_carrier_that_stays_busy_is_left_alone(
    twilio: TwilioAccountServer, account: TwilioRestAccount, pauses: list[float]
) -> None:
    twilio.spoiled.extend([busy()] * 9)
    with pytest.raises(CarrierUnavailable, match="answers 429"):
        sids(account)
    assert (len(twilio.requests), len(pauses)) == (5, 4)


@pytest.mark.parametrize(
    ("said", "waits"),
    [("7", 7), ("60", 60), ("0", 0.5), ("", 0.5), ("soon", 0.5), ("Wed, 04 Mar 2020 12:00:00 GMT", 0.5)],
)
def test_a_pause_is_as_long_as_the_carrier_says(
    twilio: TwilioAccountServer, account: TwilioRestAccount, pauses: list[float], said: str, waits: float
) -> None:
    twilio.spoiled.append(busy(retry_after=said))
    sids(account)
    assert waits / 2 <= pauses[0] <= waits


def test_a_carrier_that_wants_to_be_left_alone_for_long_is(
    twilio: TwilioAccountServer, account: TwilioRestAccount, pauses: list[float]
) -> None:
    twilio.spoiled.append(busy(retry_after="61"))
    with pytest.raises(CarrierUnavailable):
        sids(account)
    assert (len(twilio.requests), pauses) == (1, [])


def test_a_slow_answer_is_given_up_and_asked_for_again(
    twilio: TwilioAccountServer, account: TwilioRestAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twilio_http, "TIMEOUT", 0.2)
    twilio.spoiled.append(late(0.6))
    call = twilio.add_call(TRACKING.e164, NOW)
    assert sids(account) == [call]
    assert len(twilio.requests) == 2


def test_an_answer_that_drips_is_given_up(
    twilio: TwilioAccountServer, account: TwilioRestAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twilio_http, "_WHOLE_ANSWER", 0.1)
    twilio.spoiled.extend([dripping(0.02, 30)] * 5)
    with pytest.raises(CarrierUnavailable, match=r"does not answer \(TooSlow\)"):
        sids(account)


def test_an_answer_without_end_is_given_up(
    twilio: TwilioAccountServer, account: TwilioRestAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twilio_http, "_LONGEST_BODY", 1000)
    twilio.spoiled.extend([saying(b" " * 1001)] * 5)
    with pytest.raises(CarrierUnavailable, match=r"does not answer \(TooMuch\)"):
        sids(account)


def test_a_carrier_that_nobody_is_at_home_of_is_unavailable(pauses: list[float]) -> None:
    account = an_account(f"http://127.0.0.1:{free_port()}", pauses)
    with pytest.raises(CarrierUnavailable, match=r"does not answer \(ConnectionError\)"):
        account.call("CA1")
    assert len(pauses) == 4


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"<html>", "something else than JSON"),
        (b"", "something else than JSON"),
        (b"\xff\xfe", "something else than JSON"),
        (b"[]", "something else than JSON"),
        (b"[" * 100_000, "something else than JSON"),
        (b"{}", "something else than a list"),
        (b'{"calls": {}}', "something else than a list"),
        (b'{"calls": [7]}', "something else than a list"),
    ],
)
def test_an_answer_that_is_none_is_not_taken(
    twilio: TwilioAccountServer, account: TwilioRestAccount, body: bytes, told: str
) -> None:
    twilio.spoiled.append(saying(body))
    with pytest.raises(CarrierUnavailable, match=told):
        sids(account)


@pytest.mark.parametrize("status", [400, 418, 500, 502, 302])
def test_another_status_is_no_answer_and_not_asked_for_again(
    twilio: TwilioAccountServer, account: TwilioRestAccount, status: int
) -> None:
    twilio.spoiled.append(saying(b"{}", status, Location="/elsewhere"))
    with pytest.raises(CarrierUnavailable, match=f"answers {status}"):
        sids(account)
    assert len(twilio.requests) == 1


def test_an_empty_page_is_not_the_last_one(twilio: TwilioAccountServer, account: TwilioRestAccount) -> None:
    call = twilio.add_call(TRACKING.e164, NOW)
    following = {"calls": [], "next_page_uri": f"/2010-04-01/Accounts/{ACCOUNT}/Calls.json?Page=1"}
    twilio.spoiled.append(saying(json.dumps(following).encode()))
    assert sids(account) == [call]


def test_a_list_without_end_comes_to_one(twilio: TwilioAccountServer, account: TwilioRestAccount) -> None:
    following = {"calls": [], "next_page_uri": f"/2010-04-01/Accounts/{ACCOUNT}/Calls.json?Page=1"}
    twilio.spoiled.extend([saying(json.dumps(following).encode())] * 9)
    with pytest.raises(CarrierUnavailable, match="the same page again"):
        sids(account)
    assert len(twilio.requests) == 2


def test_one_record_that_cannot_be_read_holds_up_no_other(
    twilio: TwilioAccountServer, account: TwilioRestAccount
) -> None:
    calls = [twilio.add_call(TRACKING.e164, NOW) for _ in range(3)]
    twilio.calls[1]["start_time"] = twilio.calls[1]["date_created"] = "Wed, 04 Mar 2026 12:00:00 +0000"
    twilio.calls[1]["status"] = None
    assert sids(account) == [calls[2], calls[0]]


def test_wrong_credentials_are_refused_at_once(twilio: TwilioAccountServer, pauses: list[float]) -> None:
    with pytest.raises(CredentialsRefused) as refused:
        sids(an_account(twilio.origin, pauses, token="not-the-token"))
    assert (len(twilio.requests), pauses) == (1, [])
    assert "not-the-token" not in str(refused.value)


@responses.activate
def test_our_token_goes_to_no_host_that_an_answer_names() -> None:
    url = f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Calls.json"
    for following in ("https://evil.example/2010", "//evil.example/2010", "@evil.example/2010"):
        responses.upsert(responses.GET, url, json={"calls": [{"direction": "x"}], "next_page_uri": following})
        with pytest.raises(CarrierUnavailable):
            sids(an_account("https://api.twilio.com", []))
    assert {str(call.request.url).split("/")[2] for call in responses.calls} == {"api.twilio.com"}


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/2010-04-01",
        "http://api.twilio.com/2010-04-01",
        "https://api.twilio.com:8443/2010-04-01",
        "https://api.twilio.com@evil.example/2010-04-01",
    ],
)
def test_nothing_is_sent_to_another_origin(url: str) -> None:
    http = twilio_http.PatientHttpClient("https://api.twilio.com")
    with pytest.raises(CarrierUnavailable, match="an address that is not its own"):
        http.request("GET", url)


@responses.activate
def test_what_changes_something_is_sent_again_only_if_it_was_not_processed() -> None:
    url = "https://api.twilio.com/2010-04-01/Accounts/AC/IncomingPhoneNumbers.json"
    http = twilio_http.PatientHttpClient("https://api.twilio.com", pause=lambda _seconds: None)
    responses.add(responses.POST, url, status=429)
    responses.add(responses.POST, url, status=201, json={"sid": "PN1"})
    assert http.request("POST", url, data={"PhoneNumber": "+15005550100"}).status_code == 201
    responses.replace(responses.POST, url, status=503)
    with pytest.raises(CarrierUnavailable, match="answers 503"):
        http.request("POST", url)
    assert len(responses.calls) == 3


def test_the_environment_does_not_change_the_carriers_address(
    twilio: TwilioAccountServer, pauses: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWILIO_EDGE", "sydney")
    monkeypatch.setenv("TWILIO_REGION", "au1")
    assert sids(an_account(twilio.origin, pauses)) == []
