"""Phone numbers: what is E.164, what carriers write instead, and that nothing prints one unmasked."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from routing.numbers import KEYPAD_WORDS, NotE164, PhoneNumber, caller_number, dialled_number, mask
from routing.policy import decide
from tests.routing.facts import NOW, a_call, a_number, a_route
from tests.routing.strategies import phones


@pytest.mark.parametrize("text", ["+1234567", "+12345678", "+12345678901234", "+123456789012345"])
def test_seven_to_fifteen_digits_make_a_number(text: str) -> None:
    assert PhoneNumber(text).e164 == text
    assert PhoneNumber(text).digits == text[1:]


@pytest.mark.parametrize(
    "text",
    [
        *("", "+", "+123456", "+1234567890123456", "+01234567", "14155550142", "++14155550142"),
        *("+1415555010a", "+14155550142\n", "\n+14155550142", " +14155550142", "+1 4155550142"),
        *("+１４１５５５５０１００", "+١٤١٥٥٥٥٠١٠٠", "+1415555010²", "+14155550142\0"),  # noqa: RUF001
    ],
)
def test_anything_else_is_refused_without_being_repeated(text: str) -> None:
    with pytest.raises(NotE164) as refusal:
        PhoneNumber(text)
    assert not text.strip("+") or text not in str(refusal.value)


@pytest.mark.parametrize(
    "text", ["+1 415 555 0100", "+1 (415) 555-0100", " +1.415.555.0100\t", "+1-415/555-0100"]
)
def test_punctuation_is_not_part_of_a_number(text: str) -> None:
    assert PhoneNumber.parse(text).e164 == "+14155550100"


@given(phones)
def test_no_way_of_printing_shows_a_whole_number(number: PhoneNumber) -> None:
    shown = [str(number), repr(number), f"{number}", f"{number!s}", f"{number!r}", number.masked]
    shown += ["%s" % number, "{}".format(number), repr([number]), repr({"caller": number})]  # noqa: UP031, UP032
    shown += [repr(a_call(number)), repr(a_number(number)), str(a_call(caller=number))]
    for text in shown:
        assert number.e164 not in text
        assert number.digits not in text
        assert "•••" in text


def test_what_is_made_of_numbers_prints_them_masked() -> None:
    route = a_route(business_number=PhoneNumber("+12125550177"))
    for text in (repr(route), repr(decide(route, NOW)), str(replace(route.number, campaign_id=None))):
        assert "5550100" not in text
        assert "5550123" not in text
        assert "5550177" not in text


def test_a_masked_number_keeps_its_country_and_its_last_four_digits() -> None:
    assert PhoneNumber("+14155550100").masked == "+1415•••0100"
    assert mask("+1234567") == "+•••4567"


def test_numbers_are_values() -> None:
    first, second = PhoneNumber("+14155550100"), PhoneNumber("+14155550101")
    assert first == PhoneNumber.parse("+1 415 555 0100")
    assert len({first, PhoneNumber(first.e164)}) == 1
    assert first < second
    assert pickle.loads(pickle.dumps(first)) == first  # noqa: S301


@pytest.mark.parametrize(
    "text",
    [
        *("+14155550100", " +14155550100 ", "+1 415 555 0100", "+1 (415) 555-0100"),
        *("sip:+14155550100@example.com", "SIP:+14155550100@dom", "sips:+14155550100@dom;transport=tls"),
        *("sip:+14155550100", "sip:+14155550100;user=phone@dom", "tel:+14155550100", "tel:+1-415-555-0100"),
        "  sip:+14155550100@dom  ",
    ],
)
def test_a_dialled_number_is_read_in_every_spelling_of_e164(text: str) -> None:
    number = dialled_number(text)
    assert number is not None
    assert number.e164 == "+14155550100"


@pytest.mark.parametrize(
    "text",
    [
        *(
            "14155550100",
            "4155550100",
            "(415) 555-0100",
            "0114155550100",
            "0014155550100",
            "011 44 20 7946 0000",
        ),
        *("sip:4155550100@dom", "sip:14155550100@dom", "tel:4155550100", "tel:555-0100;phone-context=+1"),
        *(
            "sip:sales@dom",
            "sip:@dom",
            "sip:",
            "client:joe",
            "client:+14155550100",
            "911",
            "+911",
            "12345",
            "",
        ),
        *(" ", "+", "@", ":", "None", "+1415555010O", "+14155550100,+14155550101", "+14155550100x12"),
        *("+" + "1" * 10_000, "sip:+14155550100@" + "d" * 10_000, "+1" + " " * 10_000 + "4155550100"),
    ],
)
def test_what_is_no_e164_is_never_completed_to_a_number(text: str) -> None:
    assert dialled_number(text) is None


@pytest.mark.parametrize(
    "text",
    [
        *("anonymous", "Anonymous", "Restricted", "unknown", "client:x", "sip:x@y", "", "x" * 200, "2" * 200),
        *("sip:anonymous@anonymous.invalid", "4155550100", "+"),
    ],
)
def test_a_caller_who_gives_no_number_is_withheld(text: str) -> None:
    assert caller_number(text) is None


@pytest.mark.parametrize("word", sorted(KEYPAD_WORDS))
@pytest.mark.parametrize("spelling", ["{}", " {}", "{}\n", "sip:{}@example.com", "tel:{}"])
def test_words_spelled_on_the_keypad_do_not_become_one_caller(word: str, spelling: str) -> None:
    assert caller_number(spelling.format(word)) is None


def test_the_number_next_to_a_keypad_word_is_a_caller() -> None:
    number = caller_number("+266696688")
    assert number is not None
    assert number.e164 == "+266696688"


def test_a_caller_behind_sip_is_the_same_caller() -> None:
    assert caller_number("sip:+13035550142@example.com") == caller_number("+1 303 555 0142") is not None


@given(st.text())
def test_no_text_makes_the_reading_fail(text: str) -> None:
    for read in (dialled_number, caller_number):
        number = read(text)
        assert number is None or number.digits in "".join(filter(str.isdigit, text))


@given(phones, st.sampled_from(["{}", " {}", "sip:{}@example.com", "tel:{}"]))
def test_every_number_is_read_back(number: PhoneNumber, spelling: str) -> None:
    assert dialled_number(spelling.format(number.e164)) == number
    if number.e164 not in KEYPAD_WORDS:
        assert caller_number(spelling.format(number.e164)) == number
