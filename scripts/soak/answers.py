"""What callers heard, read from the TwiML, in the words of the call log."""

from dataclasses import dataclass
from xml.etree import ElementTree as ET

BUSINESS = "Bay Bakery"
"""Named in every referral of the demo, in whatever language."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`decision` as in the call log: connect, referral, reject, apology."""

    decision: str
    destination: str | None = None


REJECTED = Answer("reject")
REFERRED = Answer("referral")
APOLOGY = Answer("apology")


def answer_in(document: bytes) -> Answer | None:
    """Read an answer to `voice`; None: it is none of those that we give."""
    root = parsed(document)
    if root is None:
        return None
    match [verb.tag for verb in root]:
        case ["Dial"]:
            return Answer("connect", root.findtext("Dial/Number"))
        case ["Reject"]:
            return REJECTED
        case ["Say", "Pause", "Say", "Hangup"]:
            return REFERRED if BUSINESS in _spoken(root) else None
        case ["Say", "Hangup"]:
            return APOLOGY
        case _:
            return None


def parsed(document: bytes) -> ET.Element | None:
    """The document, if it is TwiML."""
    try:
        root = ET.fromstring(document)  # noqa: S314 - our own server's answer
    except ET.ParseError:
        return None
    return root if root.tag == "Response" else None


def _spoken(root: ET.Element) -> str:
    return " ".join("".join(say.itertext()) for say in root.iter("Say"))
