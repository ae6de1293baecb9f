"""Form bodies: the same fields as the standard library reads, kept as the bytes that were signed."""

from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from webhooks.carriers.form import MOST_FIELDS, Form, TooManyFields, parse_form

# Bodies made of the pieces that matter, so that escapes, halves of escapes and separators meet.
pieces = st.sampled_from(
    [
        b"%",
        b"%2",
        b"%2B",
        b"%2b",
        b"%25",
        b"%26",
        b"%3D",
        b"%zz",
        b"%C3%A9",
        b"%00",
        b"2B",
        b"B",
        b"41",
        b"+",
        b"&",
        b"=",
        b";",
        b"#",
        b"a",
        b"To",
        b" ",
        b"\xc3",
        b"\xff",
        b"\r\n",
    ]
)
bodies = st.lists(pieces, max_size=40).map(b"".join) | st.binary(max_size=60)


def as_the_standard_library_reads(body: bytes) -> list[tuple[bytes, bytes]]:
    """`parse_qsl` gives text; Latin-1 maps each byte to one character and back."""
    pairs = parse_qsl(body.decode("latin-1"), keep_blank_values=True, encoding="latin-1")
    return [(name.encode("latin-1"), value.encode("latin-1")) for name, value in pairs]


@given(bodies)
@example(b"%%2B41=%252B&=&&a&b=&c=d=e&%=%")
def test_every_body_is_read_as_the_standard_library_reads_it(body: bytes) -> None:
    assert parse_form(body).fields == as_the_standard_library_reads(body)


@given(st.lists(st.tuples(st.text(min_size=1), st.text()), max_size=30))
def test_what_was_encoded_comes_back_in_the_order_sent(fields: list[tuple[str, str]]) -> None:
    utf_8 = [(name.encode("utf-8", "replace"), value.encode("utf-8", "replace")) for name, value in fields]

    assert parse_form(urlencode(utf_8).encode()).fields == utf_8


def test_blank_values_and_surrounding_spaces_are_kept() -> None:
    form = parse_form(b"ToZip=&CalledCity&FromCity=++New+York%20")

    assert form.fields == [(b"ToZip", b""), (b"CalledCity", b""), (b"FromCity", b"  New York ")]


def test_bytes_that_are_no_utf_8_stay_as_sent_and_are_shown_replaced() -> None:
    form = parse_form(b"FromCity=Z%FCrich")

    assert form.fields == [(b"FromCity", b"Z\xfcrich")]
    assert form.text("FromCity") == "Z\ufffdrich"


def test_text_gives_the_first_value_and_all_gives_each() -> None:
    form = Form([(b"a", b"1"), (b"b", b""), (b"a", b"2")])

    assert (form.text("a"), form.text("b"), form.text("c")) == ("1", "", "")
    assert (form.all("a"), form.all("b"), form.all("c")) == (["1", "2"], [""], [])


@pytest.mark.parametrize("count", [MOST_FIELDS - 1, MOST_FIELDS])
def test_as_many_fields_as_allowed_are_read(count: int) -> None:
    assert len(parse_form(b"&".join([b"a=1"] * count)).fields) == count


@pytest.mark.parametrize("count", [MOST_FIELDS + 1, 5_000])
def test_more_fields_are_refused(count: int) -> None:
    with pytest.raises(TooManyFields):
        parse_form(b"&".join([b"a=1"] * count))


def test_separators_alone_count_as_fields() -> None:
    with pytest.raises(TooManyFields):
        parse_form(b"&" * MOST_FIELDS)
