"""Finding numbers by some of their digits."""

from typing import Annotated, Any

import phonenumbers
from pydantic import Field
from sqlalchemy import ColumnElement
from sqlalchemy.orm import InstrumentedAttribute, Session

from admin.access.actor import Actor
from admin.drafts import Line, Reading
from admin.lists.listing import dialect_of
from models.group import ancestors
from models.search import digits_in, digits_match

FEWEST_DIGITS = 3
Digits = Annotated[
    Line | None,
    Field(
        description="digits with which the number begins (after a plus sign, or without the country code) "
        "or ends; three or more",
        examples=["+1415", "0190"],
    ),
]


def check_digits(written: str | None, place: str, reading: Reading) -> None:
    """An error at `place` where there are too few of them to look for."""
    if written and len(digits_in(written)) < FEWEST_DIGITS:
        reading.add(place, f"needs {FEWEST_DIGITS} digits or more")


def digits_condition(
    session: Session, actor: Actor, column: InstrumentedAttribute[Any], written: str
) -> ColumnElement[bool]:
    """Whether a number begins or ends with the digits of `written`."""
    return digits_match(dialect_of(session), column, written, _country_codes(session, actor))


def _country_codes(session: Session, actor: Actor) -> list[str]:
    """Of the actor's group and those above: what he is likely to leave out."""
    phones = [group.phone for group in ancestors(session, actor.group_id) if group.phone is not None]
    return sorted({str(phonenumbers.parse(phone.e164).country_code) for phone in phones})
