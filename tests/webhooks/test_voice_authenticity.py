"""Who may speak to us: only the carrier, only for our account, only in its own form."""

import time
from urllib.parse import quote, urlencode

import pytest
from werkzeug.test import EnvironBuilder, run_wsgi_app

from models.call import recent
from routing.journal import Journal
from routing.numbers import PhoneNumber
from scripts.settings import Secret, TwilioAccount
from tests.builders import NOW, a_campaign, a_number
from tests.webhooks.conftest import MakeSwitchboard
from tests.webhooks.switchboard import ACCOUNT, TOKEN, VOICE, Switchboard, a_call

DIALLED = "+15005550100"


@pytest.fixture(autouse=True)
def a_live_number(switchboard: Switchboard) -> None:
    with switchboard.database.session() as session:
        a_number(session, PhoneNumber(DIALLED), a_campaign(session))
    switchboard.rebuild_index()


def stored(board: Switchboard) -> int:
    """Calls that left any trace."""
    with board.database.reading() as session:
        return Journal(board.redis, board.layout).length() + len(recent(session, 10))


def test_a_request_without_a_signature_is_refused_counted_and_leaves_no_trace(
    switchboard: Switchboard,
) -> None:
    response = switchboard.web.post(VOICE, data=a_call(DIALLED))
    assert (response.status_code, response.data) == (403, b"")
    assert switchboard.metrics()['hookswitch_webhooks_refused_total{reason="signature"}'] == 1
    assert stored(switchboard) == 0


@pytest.mark.parametrize("position", range(len(DIALLED)))
def test_a_changed_digit_of_the_number_breaks_the_signature(switchboard: Switchboard, position: int) -> None:
    form = a_call(DIALLED)
    signature = switchboard.sign(VOICE, urlencode(form))
    forged = DIALLED[:position] + "9" + DIALLED[position + 1 :]
    body = urlencode(form | {"To": forged})
    response = switchboard.post(VOICE, body, headers={"X-Twilio-Signature": signature})
    assert response.status_code == 403


def test_both_tokens_are_good_while_one_is_rotated_out(make_switchboard: MakeSwitchboard) -> None:
    account = TwilioAccount(ACCOUNT, Secret("new" + TOKEN), Secret(TOKEN), "https://api.twilio.com")
    board = make_switchboard(twilio=account)
    body = urlencode(a_call(DIALLED))
    for token in (TOKEN, "new" + TOKEN):
        headers = {"X-Twilio-Signature": board.sign(VOICE, body, token)}
        assert board.post(VOICE, body, headers=headers).status_code == 200


def test_a_token_that_was_rotated_out_is_good_no_longer(make_switchboard: MakeSwitchboard) -> None:
    account = TwilioAccount(ACCOUNT, Secret("new" + TOKEN), None, "https://api.twilio.com")
    board = make_switchboard(twilio=account)
    assert board.post(VOICE, urlencode(a_call(DIALLED))).status_code == 403


@pytest.mark.parametrize(
    "query",
    ["?a=1", "?q=%7E%2b%C3%A9%20+", "?x=%2F&y=", "?a=1&a=2"],
    ids=["plain", "encoded", "blank", "twice"],
)
def test_the_query_counts_as_it_was_sent(switchboard: Switchboard, query: str) -> None:
    assert switchboard.post(VOICE + query, urlencode(a_call(DIALLED))).status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1:9999", "a:abc", "a:99999", "calls.example.com:443"]
)
def test_host_and_forwarding_headers_change_no_verdict(switchboard: Switchboard, host: str) -> None:
    body = urlencode(a_call(DIALLED))
    forged = {"Host": host, "X-Forwarded-Host": host, "X-Forwarded-Proto": "https"}
    assert switchboard.post(VOICE, body, headers=forged).status_code == 200
    wrong = forged | {"X-Twilio-Signature": "L/OH5YylLD5NRKLltdqwSvS0BnU="}
    assert switchboard.post(VOICE, body, headers=wrong).status_code == 403


@pytest.mark.parametrize(
    "public",
    ["https://calls.example.com", "https://calls.example.com:443", "https://u:p@calls.example.com:8443"],
)
def test_the_public_address_is_what_the_carrier_signs(make_switchboard: MakeSwitchboard, public: str) -> None:
    board = make_switchboard(public_base_url=public)
    bare = make_switchboard(public_base_url="https://calls.example.com")
    body = urlencode(a_call(DIALLED))
    # Twilio drops user, password and, over https, the port.
    signature = bare.sign(VOICE, body)
    assert board.post(VOICE, body, headers={"X-Twilio-Signature": signature}).status_code == 200


def test_a_body_hash_in_the_address_of_a_form_is_refused(switchboard: Switchboard) -> None:
    target = VOICE + "?bodySHA256=" + "0" * 64
    assert switchboard.post(target, urlencode(a_call(DIALLED))).status_code == 403


def test_fields_cut_at_other_places_under_a_valid_signature_are_malformed(switchboard: Switchboard) -> None:
    honest = {"AccountSid": ACCOUNT, "CallSid": "CA" + "1" * 32, "From": "+1555", "To": "+1800"}
    signature = switchboard.sign(VOICE, urlencode(honest))
    shifted = {"AccountSid": ACCOUNT, "CallSid": "CA" + "1" * 32, "F": "rom+1555To+1800"}
    body = urlencode(shifted)
    assert switchboard.sign(VOICE, body) == signature  # the scheme does not bind the boundaries
    assert switchboard.post(VOICE, body).status_code == 400
    assert stored(switchboard) == 0


def test_a_path_cut_at_another_place_is_not_found(switchboard: Switchboard) -> None:
    path = VOICE + "From%2B1555"
    assert switchboard.post(path, urlencode(a_call(DIALLED))).status_code == 404
    assert stored(switchboard) == 0


def test_another_spelling_of_the_path_is_no_way_around_the_signature(switchboard: Switchboard) -> None:
    body = urlencode(a_call(DIALLED))
    headers = {"X-Twilio-Signature": switchboard.sign(VOICE, body)}
    environ = EnvironBuilder(
        VOICE,
        method="POST",
        data=body,
        headers=[*headers.items()],
        content_type="application/x-www-form-urlencoded",
    ).get_environ()
    environ["RAW_URI"] = environ["REQUEST_URI"] = "/webhooks/twilio/%76oice"
    _, status, _ = run_wsgi_app(switchboard.web.application, environ)
    assert status == "403 Forbidden"


def test_a_request_for_another_account_is_refused(switchboard: Switchboard) -> None:
    body = urlencode(a_call(DIALLED, AccountSid="AC" + "9" * 32))
    assert switchboard.post(VOICE, body).status_code == 403
    assert stored(switchboard) == 0


@pytest.mark.parametrize("missing", ["CallSid", "AccountSid", "From", "To"])
def test_a_signed_request_without_a_required_field_is_malformed(
    switchboard: Switchboard, missing: str
) -> None:
    form = a_call(DIALLED)
    del form[missing]
    assert switchboard.post(VOICE, urlencode(form)).status_code == 400


@pytest.mark.parametrize("repeated", ["CallSid", "AccountSid", "From", "To"])
def test_a_required_field_sent_twice_is_malformed(switchboard: Switchboard, repeated: str) -> None:
    form = a_call(DIALLED)
    body = urlencode([*form.items(), (repeated, form[repeated] + "0")])
    assert switchboard.post(VOICE, body).status_code == 400


@pytest.mark.parametrize("sid", ["", "CA123", "CA" + "g" * 32, "MZ" + "1" * 32, "CA" + "1" * 33])
def test_a_call_sid_of_another_shape_is_malformed(switchboard: Switchboard, sid: str) -> None:
    assert switchboard.post(VOICE, urlencode(a_call(DIALLED, CallSid=sid))).status_code == 400


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"])
def test_any_method_but_post_is_not_allowed(switchboard: Switchboard, method: str) -> None:
    response = switchboard.web.open(VOICE, method=method)
    assert response.status_code == 405
    assert response.headers["Allow"] == "POST"


@pytest.mark.parametrize(
    "content_type", ["application/json", "multipart/form-data; boundary=x", "text/plain", ""]
)
def test_any_body_but_a_form_is_unsupported(switchboard: Switchboard, content_type: str) -> None:
    assert switchboard.post(VOICE, b"{}", content_type=content_type).status_code == 415


def test_a_form_with_a_charset_is_a_form(switchboard: Switchboard) -> None:
    content_type = "application/x-www-form-urlencoded; charset=UTF-8"
    assert switchboard.post(VOICE, urlencode(a_call(DIALLED)), content_type=content_type).status_code == 200


@pytest.mark.parametrize(
    "body", ["x=" + "a" * 2_000_000, "&".join(f"f{n}=1" for n in range(5000))], ids=["2 MB", "5,000 fields"]
)
def test_an_oversized_body_is_too_large_and_answered_at_once(switchboard: Switchboard, body: str) -> None:
    began = time.perf_counter()
    response = switchboard.post(VOICE, body, headers={"X-Twilio-Signature": "x"})
    # Far above the 50 ms promised, for a loaded machine; reading it all would take longer still.
    assert time.perf_counter() - began < 1
    assert (response.status_code, response.data) == (413, b"")


def test_unknown_fields_blanks_spaces_and_utf8_are_accepted(switchboard: Switchboard) -> None:
    fields = {
        "NewParam": "x",
        "Blank": "",
        " Spaces ": "  a  ",
        "CallerName": "Zoë 🥐",
        "SipHeader_X-Id": "a=b&c",
    }
    heard = switchboard.ring(DIALLED, at=NOW, **fields)
    assert heard.verbs == ["Dial"]


def test_bytes_that_are_no_utf8_are_signed_as_bytes(switchboard: Switchboard) -> None:
    import hmac
    from base64 import b64encode

    form = a_call(DIALLED)
    body = urlencode(form) + "&CallerName=" + quote(b"caf\xe9")
    signed = sorted([*((n.encode(), v.encode()) for n, v in form.items()), (b"CallerName", b"caf\xe9")])
    message = (switchboard.settings.public_base_url + VOICE).encode() + b"".join(n + v for n, v in signed)
    signature = b64encode(hmac.digest(TOKEN.encode(), message, "sha1")).decode()
    response = switchboard.post(VOICE, body.encode(), headers={"X-Twilio-Signature": signature})
    assert response.status_code == 200


def test_whatever_is_raised_inside_the_caller_hears_an_apology(
    switchboard: Switchboard, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(*_: object, **__: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr("routing.router.Router.route", explode)
    heard = switchboard.ring(DIALLED, at=NOW)
    assert heard.verbs == ["Say", "Hangup"]
    assert heard.response.mimetype == "text/xml"
    labels = 'decision="last_resort",reason="last_resort",source="none"'
    assert switchboard.metrics()[f"hookswitch_calls_answered_total{{{labels}}}"] == 1


def test_only_a_local_installation_lets_a_request_name_its_instant(
    make_switchboard: MakeSwitchboard,
) -> None:
    public = make_switchboard(public_base_url="https://calls.example.com")
    with public.database.session() as session:
        campaign = a_campaign(session, ends_at=NOW)
        a_number(session, PhoneNumber("+15005550101"), campaign)
    public.rebuild_index()
    assert public.ring("+15005550101", at=campaign.starts_at).verbs == ["Reject"]
