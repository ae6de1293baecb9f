"""Twilio's voice webhook: what is read from it, and what is not taken."""

from collections.abc import Mapping
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from routing.call import InboundCall
from routing.numbers import KEYPAD_WORDS, PhoneNumber
from webhooks.carriers.errors import ForeignAccount, Malformed
from webhooks.carriers.form import Form
from webhooks.carriers.twilio import Twilio
from webhooks.requests import CarrierRequest

ORIGIN = "https://calls.example.com"
VOICE = "/webhooks/twilio/voice"
TOKEN = "12345"
ACCOUNT = "AC" + "0123456789abcdef" * 2
CALL = "CA" + "0123456789ABCDEF" * 2
CALLER, TRACKING = "+12125550123", "+14155550100"
NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
REQUIRED = ["CallSid", "AccountSid", "From", "To"]

twilio = Twilio(ACCOUNT, ORIGIN, [TOKEN])


def a_form(said: Mapping[str, str | bytes | None] | None = None, /, **more: str | bytes | None) -> Form:
    """The fields of a call; None leaves one out."""
    plain = {"CallSid": CALL, "AccountSid": ACCOUNT, "From": CALLER, "To": TRACKING}
    fields = {**plain, **(said or {}), **more}
    return Form(
        [
            (name.encode(), value if isinstance(value, bytes) else value.encode())
            for name, value in fields.items()
            if value is not None
        ]
    )


def read(form: Form) -> InboundCall:
    return twilio.inbound_call(form, NOW)


def test_a_call_is_read_with_all_that_twilio_knows() -> None:
    form = a_form(
        FromCity="NEW YORK",
        FromState="NY",
        FromCountry="US",
        StirVerstat="TN-Validation-Passed-A",
        ForwardedFrom="+13035550142",
        BrandNew="field",
    )

    assert read(form) == InboundCall(
        carrier="twilio",
        call_sid=CALL,
        received_at=NOW,
        dialled=PhoneNumber(TRACKING),
        caller=PhoneNumber(CALLER),
        caller_city="NEW YORK",
        caller_state="NY",
        caller_country="US",
        attestation="TN-Validation-Passed-A",
        forwarded_from=PhoneNumber("+13035550142"),
    )


def test_a_call_is_read_with_the_required_fields_alone() -> None:
    assert read(a_form()) == InboundCall("twilio", CALL, NOW, PhoneNumber(TRACKING), "", PhoneNumber(CALLER))


def test_what_twilio_sends_empty_is_not_known() -> None:
    call = read(a_form(FromCity="", FromState="", FromCountry="", StirVerstat="", ForwardedFrom=""))

    assert call == read(a_form())


# Required fields


@pytest.mark.parametrize("name", REQUIRED)
def test_a_request_without_a_required_field_is_malformed(name: str) -> None:
    with pytest.raises(Malformed, match=f"^{name} "):
        read(a_form({name: None}))


@pytest.mark.parametrize("name", REQUIRED)
@pytest.mark.parametrize("again", [None, b"", b"other"])
def test_a_required_field_sent_twice_is_malformed(name: str, again: bytes | None) -> None:
    form = a_form()
    second = form.text(name).encode() if again is None else again

    for fields in ([*form.fields, (name.encode(), second)], [(name.encode(), second), *form.fields]):
        with pytest.raises(Malformed, match=f"^{name} "):
            read(Form(fields))


def test_of_another_repeated_field_the_first_value_counts() -> None:
    form = a_form(FromCity="BOSTON")

    assert read(Form([*form.fields, (b"FromCity", b"AUSTIN")])).caller_city == "BOSTON"


@pytest.mark.parametrize("name", ["callsid", "CallSid ", "Call", "CALLSID"])
def test_names_count_only_as_twilio_writes_them(name: str) -> None:
    with pytest.raises(Malformed):
        read(a_form({"CallSid": None, name: CALL}))


@pytest.mark.parametrize(
    "call_sid",
    [
        "",
        "CA",
        CALL[:-1],
        CALL + "0",
        CALL + "\n",
        " " + CALL,
        "ca" + CALL[2:],
        "AC" + CALL[2:],
        CALL[:-1] + "g",
        CALL[:-1] + "٣",
        CALL[:-1] + "\x00",
        CALL * 100,
        b"CA" + b"\xff" * 32,
    ],
)
def test_a_call_sid_of_another_shape_is_malformed(call_sid: str | bytes) -> None:
    with pytest.raises(Malformed, match=r"^CallSid "):
        read(a_form(CallSid=call_sid))


@pytest.mark.parametrize("account", ["", "AC" + "f" * 32, ACCOUNT.upper(), ACCOUNT + " ", b"\xff"])
def test_a_request_for_another_account_is_not_ours(account: str | bytes) -> None:
    with pytest.raises(ForeignAccount):
        read(a_form(AccountSid=account))
    with pytest.raises(ForeignAccount):
        twilio.check_account(a_form(AccountSid=account))


def test_a_request_for_our_account_passes() -> None:
    twilio.check_account(a_form())


@pytest.mark.parametrize("accounts", [[], [ACCOUNT, ACCOUNT], [ACCOUNT, "AC" + "f" * 32]])
def test_the_account_must_be_named_exactly_once(accounts: list[str]) -> None:
    with pytest.raises(Malformed, match=r"^AccountSid "):
        twilio.check_account(Form([(b"AccountSid", account.encode()) for account in accounts]))


# Numbers


@pytest.mark.parametrize("to", [TRACKING, "+1 415 555-0100", f"sip:{TRACKING}@pbx.example"])
def test_a_dialled_number_is_read_from_its_usual_spellings(to: str) -> None:
    call = read(a_form(To=to))

    assert (call.dialled, call.dialled_text) == (PhoneNumber(TRACKING), "")


@pytest.mark.parametrize(
    "to", ["", "4155550100", "sip:sales@pbx.example", "client:joe", "911", "+0", "+1" * 9]
)
def test_what_is_no_number_is_kept_as_it_was_dialled(to: str) -> None:
    call = read(a_form(To=to))

    assert (call.dialled, call.dialled_text) == (None, to)


@pytest.mark.parametrize(("length", "kept"), [(63, 63), (64, 64), (65, 64), (10_000, 64)])
def test_long_texts_are_shortened(length: int, kept: int) -> None:
    long = "é" * length
    call = read(a_form(To=long, FromCity=long, FromState=long, FromCountry=long, StirVerstat=long))

    assert call.dialled_text == "é" * kept
    assert call.caller_city == call.caller_state == call.caller_country == call.attestation == "é" * kept


@pytest.mark.parametrize(
    "sender",
    ["", "anonymous", "Restricted", "client:x", "sip:x@y", "+" * 200, b"\xff\xfe", *sorted(KEYPAD_WORDS)],
)
def test_a_caller_who_shows_no_number_is_nobody_in_particular(sender: str | bytes) -> None:
    assert read(a_form(From=sender)).caller is None
    assert read(a_form(ForwardedFrom=sender)).forwarded_from is None


def test_bytes_that_are_no_utf_8_are_replaced() -> None:
    assert read(a_form(FromCity=b"Z\xfcrich")).caller_city == "Z\ufffdrich"


words = st.text(max_size=20) | st.binary(max_size=20) | st.sampled_from([CALL, ACCOUNT, CALLER, TRACKING])
values = words.map(lambda word: word.encode("utf-8", "replace") if isinstance(word, str) else word)
fields_sent = st.lists(
    st.tuples(st.sampled_from([name.encode() for name in (*REQUIRED, "FromCity", "ForwardedFrom")]), values),
    max_size=6,
)


@given(fields_sent)
def test_whatever_is_sent_is_a_call_or_is_refused_by_name(fields: list[tuple[bytes, bytes]]) -> None:
    for form in (Form(fields), Form(a_form().fields + [pair for pair in fields if pair[0] == b"FromCity"])):
        try:
            call = read(form)
        except (Malformed, ForeignAccount):
            continue
        assert call.call_sid == CALL
        assert (call.dialled is None) or call.dialled_text == ""


def test_no_error_tells_what_was_sent() -> None:
    for form in (a_form(CallSid=CALLER), a_form(AccountSid=CALLER), a_form(To=None)):
        with pytest.raises((Malformed, ForeignAccount)) as refusal:
            read(form)
        assert CALLER not in repr(refusal.value)
        assert TRACKING not in repr(refusal.value)


# Authenticity


def a_request(headers: dict[str, object], target: str = VOICE) -> CarrierRequest:
    return CarrierRequest("POST", target, "application/x-www-form-urlencoded", b"", headers)


def signed(fields: dict[str, str], algorithm: str | None = None) -> str:
    signature: str = RequestValidator(TOKEN).compute_signature(ORIGIN + VOICE, fields, algorithm)
    return signature


FIELDS = {"CallSid": CALL, "AccountSid": ACCOUNT, "From": CALLER, "To": TRACKING}


def test_a_signed_request_is_authentic_whatever_host_it_claims() -> None:
    headers: dict[str, object] = {"HTTP_X_TWILIO_SIGNATURE": signed(FIELDS), "HTTP_HOST": "a:abc"}

    assert twilio.is_authentic(a_request(headers), a_form())


def test_a_request_without_a_signature_or_with_a_wrong_one_is_not_authentic() -> None:
    for headers in ({}, {"HTTP_X_TWILIO_SIGNATURE": signed(FIELDS | {"To": CALLER})}):
        assert not twilio.is_authentic(a_request(dict(headers)), a_form())


def test_a_sha_256_signature_is_authentic_where_its_header_says_so() -> None:
    by_sha_256: dict[str, object] = {"HTTP_X_TWILIO_SIGNATURE": signed(FIELDS, "HMAC_SHA256")}
    announced = {"HTTP_X_TWILIO_WEBHOOKS_SIGNATURE_SETTINGS": "key=k,algorithm=HMAC_SHA256"}

    assert twilio.is_authentic(a_request(by_sha_256 | announced), a_form())
    assert not twilio.is_authentic(a_request(by_sha_256), a_form())


def test_fields_cut_at_other_places_keep_their_signature_but_announce_no_call() -> None:
    """The scheme signs names and values run together; the required names are what binds them."""
    request = a_request({"HTTP_X_TWILIO_SIGNATURE": signed(FIELDS)})
    moved = [
        a_form({"From": None, "F": f"rom{CALLER}"}),
        a_form({"From": None, "To": None, "F": f"rom{CALLER}To{TRACKING}"}),
        a_form({"To": None, "From": f"{CALLER}To{TRACKING}"}),
        a_form({"CallSid": None, "AccountSid": f"{ACCOUNT}CallSid{CALL}"}),
    ]
    for form in moved:
        assert twilio.is_authentic(request, form)
        with pytest.raises(Malformed):
            read(form)
