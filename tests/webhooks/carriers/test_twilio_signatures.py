"""Twilio's signature: held against the helper library, its documentation and vectors made in Node."""

import hashlib
import json
from base64 import b64encode
from pathlib import Path
from urllib.parse import quote, urlencode, urlparse

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator, get_signature_algorithm
from werkzeug.datastructures import MultiDict

from webhooks.carriers.form import Form, parse_form
from webhooks.carriers.signature import SignatureVerifier, signed_origins

VECTORS = json.loads(Path(__file__).with_name("vectors.json").read_text(encoding="utf-8"))
ORIGIN = "https://calls.example.com"
VOICE = "/webhooks/twilio/voice"
TOKEN = "12345"
OLD_TOKEN = "67890"
SHA_256 = "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"
FIELDS = [("CallSid", "CA1"), ("From", "+12125550123"), ("To", "+14155550100"), ("ToZip", "")]


def form_of(fields: list[tuple[str, str]]) -> Form:
    return parse_form(urlencode(fields).encode())


def signature_of(
    url: str, fields: list[tuple[str, str]], token: str = TOKEN, algorithm: str | None = None
) -> str:
    signature: str = RequestValidator(token).compute_signature(url, MultiDict(fields), algorithm)
    return signature


def the_library_accepts(
    url: str, fields: list[tuple[str, str]], signature: str | None, settings: str | None
) -> bool:
    if signature is None:
        return False  # the library raises TypeError
    verdict: bool = RequestValidator(TOKEN).validate(
        url, MultiDict(fields), signature, get_signature_algorithm(settings)
    )
    return verdict


# What arrives

names = st.sampled_from(["To", "From", "FromCity", "ToZip", "a", "A", "É", "\U0001f642"]) | st.text(
    max_size=4
)
fields_sent = st.lists(
    st.tuples(names, st.sampled_from(["", " ", "1", "+1"]) | st.text(max_size=8)), max_size=8
)
origins = st.builds(
    "{}://{}{}".format,
    st.sampled_from(["https", "http"]),
    st.sampled_from(["calls.example.com", "127.0.0.1", "Calls.Example.com"]),
    st.sampled_from(["", ":80", ":443", ":8443", ":1", ":65535"]),
)
_written = st.sampled_from(
    ["a", "Z", "0", "/", "?", "&", "=", "+", "~", "'", ";", ":", "@", "%7E", "%2b", "%C3%A9", "%20", "%"]
)
targets = st.lists(_written, max_size=12).map(lambda parts: "/" + "".join(parts))
settings_headers = st.sampled_from(
    [
        None,
        "",
        "key=k",
        SHA_256,
        "algorithm=HMAC_SHA1",
        " algorithm = hmac_sha256 ,key=k",
        "algorithm=",
        "algorithm=HMAC_MD5",
        "algorithm=,algorithm=HMAC_SHA256",
        "algorithm=HMAC_SHA1,algorithm=HMAC_SHA256",
    ]
) | st.text(max_size=12)


@st.composite
def signatures(draw: st.DrawFn, origin: str, target: str, fields: list[tuple[str, str]]) -> str | None:
    """Half of them right, with or without the port; the others near misses and nonsense."""
    parts = urlparse(origin)
    port = parts.port or {"https": 443, "http": 80}[parts.scheme]
    host = parts.netloc.partition(":")[0]
    spelled = draw(st.sampled_from([origin, f"{parts.scheme}://{host}", f"{parts.scheme}://{host}:{port}"]))
    algorithm = draw(st.sampled_from(["HMAC_SHA1", "HMAC_SHA1", "HMAC_SHA256"]))
    right = signature_of(spelled + target, fields, algorithm=algorithm)
    if draw(st.booleans()):
        return right
    near = st.sampled_from(
        [
            None,
            "",
            right[:-1],
            right + "=",
            right + " ",
            right.lower(),
            right.rstrip("="),
            right + "é",
            signature_of(spelled + target, [*fields, ("a", "b")]),
            signature_of(spelled, fields, OLD_TOKEN),
        ]
    )
    return draw(near | st.text(max_size=30))


@given(st.data(), origins, targets, fields_sent, settings_headers)
def test_every_verdict_is_the_helper_librarys(
    data: st.DataObject, origin: str, target: str, fields: list[tuple[str, str]], settings: str | None
) -> None:
    # On purpose we differ where the library rewrites the address before it checks it: it drops an
    # empty query and an empty `;`. Both are signed as they were sent, which the Node vectors show.
    assume(urlparse(origin + target).geturl() == origin + target)
    signature = data.draw(signatures(origin, target, fields))

    verdict = SignatureVerifier(origin, [TOKEN]).verify(target, form_of(fields), signature, settings)

    assert verdict == the_library_accepts(origin + target, fields, signature, settings)


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: str(vector["about"]))
def test_a_request_signed_in_node_is_accepted(vector: dict[str, str]) -> None:
    verifier = SignatureVerifier(vector["public_base_url"], [VECTORS["token"]])

    assert verifier.verify(vector["target"], parse_form(vector["body"].encode()), vector["signature"])


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: str(vector["about"]))
def test_the_same_request_with_one_more_field_is_refused(vector: dict[str, str]) -> None:
    verifier = SignatureVerifier(vector["public_base_url"], [VECTORS["token"]])
    body = vector["body"] + "&Added=1"

    assert not verifier.verify(vector["target"], parse_form(body.encode()), vector["signature"])


def test_the_worked_example_of_twilios_documentation_passes() -> None:
    form = form_of(
        [
            ("CallSid", "CA1234567890ABCDE"),
            ("Caller", "+14158675310"),
            ("Digits", "1234"),
            ("From", "+14158675310"),
            ("To", "+18005551212"),
        ]
    )
    verifier = SignatureVerifier("https://example.com", ["12345"])

    assert verifier.verify("/myapp.php?foo=1&bar=2", form, "L/OH5YylLD5NRKLltdqwSvS0BnU=")


# Who may sign


def test_during_a_rotation_both_tokens_count_and_afterwards_the_new_one_alone() -> None:
    by_old, by_new = (signature_of(ORIGIN + VOICE, FIELDS, token) for token in (OLD_TOKEN, TOKEN))
    rotating, rotated = SignatureVerifier(ORIGIN, [TOKEN, OLD_TOKEN]), SignatureVerifier(ORIGIN, [TOKEN])

    assert rotating.verify(VOICE, form_of(FIELDS), by_new)
    assert rotating.verify(VOICE, form_of(FIELDS), by_old)
    assert rotated.verify(VOICE, form_of(FIELDS), by_new)
    assert not rotated.verify(VOICE, form_of(FIELDS), by_old)


@pytest.mark.parametrize("tokens", [[], [""], [TOKEN, ""]])
def test_no_verifier_is_made_that_an_empty_token_would_open(tokens: list[str]) -> None:
    with pytest.raises(ValueError, match="not empty"):
        SignatureVerifier(ORIGIN, tokens)


def test_a_sha_256_signature_counts_only_where_it_is_announced() -> None:
    verifier, form = SignatureVerifier(ORIGIN, [TOKEN]), form_of(FIELDS)
    sha_256 = signature_of(ORIGIN + VOICE, FIELDS, algorithm="HMAC_SHA256")
    sha_1 = signature_of(ORIGIN + VOICE, FIELDS)

    assert verifier.verify(VOICE, form, sha_256, SHA_256)
    assert not verifier.verify(VOICE, form, sha_256, None)
    assert not verifier.verify(VOICE, form, sha_1, SHA_256)
    assert not verifier.verify(VOICE, form, sha_1, "key=k,algorithm=HMAC_MD5")


@pytest.mark.parametrize(
    ("settings", "announced"),
    [
        ("", "HMAC_SHA1"),
        ("key=k", "HMAC_SHA1"),
        ("key=k,algorithm=", "HMAC_SHA1"),
        ("algorithm= ,algorithm=HMAC_SHA256", "HMAC_SHA256"),
        (" algorithm = hmac_sha256 ,key=k", "HMAC_SHA256"),
        ("algorithm=HMAC_SHA1,algorithm=HMAC_SHA256", "HMAC_SHA1"),
    ],
)
def test_the_settings_header_is_read_as_the_library_reads_it(settings: str, announced: str) -> None:
    signature = signature_of(ORIGIN + VOICE, FIELDS, algorithm=announced)

    assert SignatureVerifier(ORIGIN, [TOKEN]).verify(VOICE, form_of(FIELDS), signature, settings)
    assert the_library_accepts(ORIGIN + VOICE, FIELDS, signature, settings)


@pytest.mark.parametrize("position", range(len("+14155550100")))
def test_one_changed_byte_of_the_dialled_number_is_refused(position: int) -> None:
    signature = signature_of(ORIGIN + VOICE, FIELDS)
    to = bytearray(b"+14155550100")
    to[position] ^= 1
    changed = Form([(b"To", bytes(to)) if name == b"To" else (name, v) for name, v in form_of(FIELDS).fields])

    assert not SignatureVerifier(ORIGIN, [TOKEN]).verify(VOICE, changed, signature)


@pytest.mark.parametrize("signature", [None, "", " ", "é", "\udcff", "not base64!", "A" * 10_000])
def test_a_missing_or_nonsensical_signature_is_refused(signature: str | None) -> None:
    assert not SignatureVerifier(ORIGIN, [TOKEN]).verify(VOICE, form_of(FIELDS), signature)


anything = st.text(max_size=30) | st.text(st.characters(), max_size=10)


@given(anything, st.lists(st.tuples(st.binary(), st.binary())), st.none() | anything, st.none() | anything)
def test_nothing_that_arrives_makes_it_raise(
    target: str, fields: list[tuple[bytes, bytes]], signature: str | None, settings: str | None
) -> None:
    verifier = SignatureVerifier(ORIGIN, [TOKEN])

    assert verifier.verify(target, Form(fields), signature, settings) is False
    assert verifier.verify("/" + target, Form(fields), signature, settings) is False


# Where we differ from the helper library, on purpose


def test_the_bytes_that_were_sent_are_checked_even_where_they_are_no_utf_8() -> None:
    message = (ORIGIN + VOICE).encode() + b"FromCityZ\xfcrich"
    signature = b64encode(hmac_sha_1(message)).decode()

    assert SignatureVerifier(ORIGIN, [TOKEN]).verify(VOICE, parse_form(b"FromCity=Z%FCrich"), signature)
    assert not the_library_accepts(ORIGIN + VOICE, [("FromCity", "Z\ufffdrich")], signature, None)


def test_bytes_beyond_ascii_in_the_target_are_those_of_the_request_line() -> None:
    signature = signature_of(ORIGIN + "/vé", FIELDS)
    as_wsgi_shows_it = "/vé".encode().decode("latin-1")
    verifier = SignatureVerifier(ORIGIN, [TOKEN])

    assert verifier.verify(as_wsgi_shows_it, form_of(FIELDS), signature)
    assert not verifier.verify("/v?", form_of(FIELDS), signature_of(ORIGIN + "/v\u2603", FIELDS))
    assert not verifier.verify("/v\u2603", form_of(FIELDS), signature_of(ORIGIN + "/v?", FIELDS))


def test_an_empty_query_is_signed_as_sent() -> None:
    with_mark = signature_of(ORIGIN + VOICE + "?", FIELDS)
    verifier, form = SignatureVerifier(ORIGIN, [TOKEN]), form_of(FIELDS)

    assert verifier.verify(VOICE + "?", form, with_mark)
    assert not verifier.verify(VOICE, form, with_mark)
    assert not the_library_accepts(ORIGIN + VOICE + "?", FIELDS, with_mark, None)


def test_a_form_under_a_body_hash_is_refused_although_the_library_does_not_check_it() -> None:
    body = urlencode(FIELDS).encode()
    for digest in (hashlib.sha256(body).hexdigest(), hashlib.sha256(b"{}").hexdigest(), ""):
        target = f"{VOICE}?a=b&bodySHA256={digest}"
        signature = signature_of(ORIGIN + target, FIELDS)

        assert not SignatureVerifier(ORIGIN, [TOKEN]).verify(target, parse_form(body), signature)
        assert the_library_accepts(ORIGIN + target, FIELDS, signature, None)


def test_a_parameter_whose_value_speaks_of_a_body_hash_is_none() -> None:
    target = f"{VOICE}?note=bodySHA256"

    assert SignatureVerifier(ORIGIN, [TOKEN]).verify(
        target, form_of(FIELDS), signature_of(ORIGIN + target, FIELDS)
    )


@pytest.mark.parametrize(
    "target", ["", "*", "calls.example.com:443", ORIGIN + VOICE, ":443" + VOICE, "x" + VOICE]
)
def test_a_target_that_is_no_path_is_refused_even_if_signed(target: str) -> None:
    signature = signature_of(ORIGIN + target, FIELDS)

    assert not SignatureVerifier(ORIGIN, [TOKEN]).verify(target, form_of(FIELDS), signature)


def test_equal_duplicates_count_once_and_different_ones_each() -> None:
    verifier = SignatureVerifier(ORIGIN, [TOKEN])
    once = signature_of(ORIGIN + VOICE, [("Digits", "1"), ("Digits", "2")])

    assert verifier.verify(VOICE, form_of([("Digits", "2"), ("Digits", "1"), ("Digits", "2")]), once)
    assert not verifier.verify(VOICE, form_of([("Digits", "2")]), once)


@pytest.mark.parametrize(
    ("public_base_url", "likeliest", "other"),
    [
        ("https://a.example", "https://a.example", "https://a.example:443"),
        ("https://a.example:443", "https://a.example", "https://a.example:443"),
        ("https://a.example:8443", "https://a.example", "https://a.example:8443"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000", "http://127.0.0.1"),
        ("http://localhost", "http://localhost", "http://localhost:80"),
        ("https://user:p@ss@a.example:8443", "https://a.example", "https://a.example:8443"),
        ("https://[2001:db8::1]", "https://[2001:db8::1]", "https://[2001:db8::1]:443"),
        ("http://[::1]:8000", "http://[::1]:8000", "http://[::1]"),
    ],
)
def test_both_spellings_of_an_origin_may_be_signed(public_base_url: str, likeliest: str, other: str) -> None:
    assert signed_origins(public_base_url) == [likeliest, other]


def test_a_percent_escape_is_not_its_character() -> None:
    verifier, form = SignatureVerifier(ORIGIN, [TOKEN]), form_of(FIELDS)
    for written, decoded in (("%7E", "~"), ("%2b", "%2B"), ("%20", "+"), ("%C3%A9", quote("é").lower())):
        signature = signature_of(f"{ORIGIN}{VOICE}?q={written}", FIELDS)

        assert verifier.verify(f"{VOICE}?q={written}", form, signature)
        assert not verifier.verify(f"{VOICE}?q={decoded}", form, signature)


def hmac_sha_1(message: bytes) -> bytes:
    """RFC 2104 written out: the inner and outer key of a token shorter than a block."""
    key = TOKEN.encode().ljust(64, b"\0")
    inner, outer = bytes(byte ^ 0x36 for byte in key), bytes(byte ^ 0x5C for byte in key)
    return sha_1(outer + sha_1(inner + message))


def sha_1(data: bytes) -> bytes:
    return hashlib.sha1(data, usedforsecurity=False).digest()
