"""Text made fit for a voice: digits spoken one by one, characters that XML can carry, bounded lengths.

At entry `speakable` refuses what cannot be said and tells why; at output `clean` strips and cuts it,
so that data written by any other way still yields a document the carrier can parse.
"""

import re
from collections.abc import Iterator
from itertools import pairwise
from urllib.parse import quote

import phonenumbers

from prompts import phrases
from routing.numbers import PhoneNumber

BUSINESS_NAME_LIMIT = 200
PROMPT_TEXT_LIMIT = 4_000
WHISPER_LIMIT = 500
"""Limits in characters. The worst prompt, said twice, takes 40 kB of TwiML; the carrier takes 64 kB."""

# All that XML 1.0 cannot carry (its production "Char"), and the control characters that it can but a
# voice cannot: https://www.w3.org/TR/xml/#charsets. Those that part words are kept apart from the rest.
_UNSPEAKABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff]")
_PARTS_WORDS = frozenset("\x0b\x0c\x1c\x1d\x1e\x1f")
_FAULTS_SHOWN = 5

_NANP_DIGITS = 11
_LONGEST_GROUP = 4
# Twilio warning 13521: Polly voices take 3,000 single-byte characters, basic ones 4,096, and the
# URL-encoded text may not exceed 4,500. The encoded length bounds all of them.
_LONGEST_SAY = 2_900
_LETTERS_AT_ONCE = 200


class Unspeakable(ValueError):
    """Text that cannot be said to a caller; `faults` lists what is wrong, in words for the operator."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


def speakable(text: str, limit: int) -> str:
    """Read an operator's text, runs of white space made one space, or raise `Unspeakable`.

    `limit` is in characters; the faults name characters by code point and never repeat the text.
    """
    faults = []
    strange = sorted(set(_UNSPEAKABLE.findall(text)))
    if strange:
        shown = ", ".join(f"U+{ord(character):04X}" for character in strange[:_FAULTS_SHOWN])
        more = f" and {len(strange) - _FAULTS_SHOWN} more" if len(strange) > _FAULTS_SHOWN else ""
        faults.append(f"contains characters that cannot be spoken: {shown}{more}")
    tidy = " ".join(text.split())
    if len(tidy) > limit:
        faults.append(f"is {len(tidy):,} characters long, the limit is {limit:,}")
    if faults:
        raise Unspeakable(tuple(faults))
    return tidy


def clean(text: str, limit: int) -> str:
    """`text` with what cannot be spoken stripped, on one line, cut to `limit` characters."""
    stripped = _UNSPEAKABLE.sub(_strip, text)
    return " ".join(stripped.split())[:limit].rstrip()


def digits(number: PhoneNumber, language: str) -> str:
    """A phone number as a voice should read it: digit by digit, with a pause between the groups.

    `+14155550100` is `4 1 5, 5 5 5, 0 1 0 0`: within the North American plan people give ten digits.
    All others are read in their international grouping, led by the language's word for plus:
    `+442079460018` is `plus 4 4, 2 0, 7 9 4 6, 0 0 1 8`.
    """
    figures = number.digits
    if figures.startswith("1") and len(figures) == _NANP_DIGITS:
        return _spaced([figures[1:4], figures[4:7], figures[7:]])
    groups = [part for group in _international_groups(number) for part in _breaths(group)]
    return f"{phrases.of(language).plus} {_spaced(groups)}"


def pieces(text: str) -> Iterator[str]:
    """Cut a clean text into what one `<Say>` can take, between sentences where possible."""
    said, weight = "", 0
    for part in _parts(text):
        added = _weight(part) + _weight(" ")
        if said and weight + added > _LONGEST_SAY:
            yield said
            said, weight = part, added
        else:
            said, weight = f"{said} {part}" if said else part, weight + added
    if said:
        yield said


def _strip(match: re.Match[str]) -> str:
    return " " if match[0] in _PARTS_WORDS else ""


def _international_groups(number: PhoneNumber) -> list[str]:
    try:
        parsed = phonenumbers.parse(number.e164)
    except phonenumbers.NumberParseException:  # a country code that nobody was given
        return [number.digits]
    written = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
    groups = re.findall(r"[0-9]+", written)
    return groups if "".join(groups) == number.digits else [number.digits]


def _breaths(group: str) -> list[str]:
    """Cut a long group into even parts of at most four digits, the longer ones first."""
    count = -(-len(group) // _LONGEST_GROUP)
    size, longer = divmod(len(group), count)
    cuts = [index * size + min(index, longer) for index in range(count + 1)]
    return [group[start:end] for start, end in pairwise(cuts)]


def _spaced(groups: list[str]) -> str:
    return ", ".join(" ".join(group) for group in groups)


def _parts(text: str) -> Iterator[str]:
    """Sentences; for one that is too long its words; for a word that is too long its letters."""
    for sentence in re.split(r"(?<=[.!?…]) ", text):
        if _weight(sentence) <= _LONGEST_SAY:
            yield sentence
            continue
        for word in sentence.split(" "):
            if _weight(word) <= _LONGEST_SAY:
                yield word
            else:
                yield from (word[at : at + _LETTERS_AT_ONCE] for at in range(0, len(word), _LETTERS_AT_ONCE))


def _weight(text: str) -> int:
    return len(quote(text, safe=""))
