"""The fields of a tracking number as a form: what the windows for creating and editing show and read."""

from typing import Any

from sqlalchemy.orm import Session

from admin.drafts import whole
from admin.ui.forms import Form
from models.inheritance import in_force
from prompts.connect import RING_TIMEOUT
from routing.numbers import PhoneNumber
from routing.route import CallerId

SETTINGS = ("name", "destination", "whisper", "ring_timeout", "record_calls", "caller_id")
"""What a number can be given, in the order in which it is shown."""
SHOWN = ("number", "campaign_id", *SETTINGS)
DEFAULT_RING = RING_TIMEOUT
"""Seconds that the business's phone rings where nobody says otherwise."""


def defaults(session: Session, group_id: int) -> dict[str, str]:
    """The settings that the group gives to new numbers, as the form shows them."""
    held = in_force(session, [group_id])[group_id]
    return {
        "destination": _spelled(held.destination),
        "whisper": held.value("default_whisper") or "",
        "ring_timeout": _spelled(held.value("default_ring_timeout")),
        "record_calls": _yes_no(held.record_calls),
        "caller_id": held.caller_id.value,
    }


def refilled(form: Form, old: dict[str, str], new: dict[str, str]) -> Form:
    """The form after its group has changed: what nobody touched takes the new group's defaults."""
    typed = {name: value for name, value in form.typed.items() if name not in old or value != old[name]}
    return Form(new | typed, form.errors)


def filled(number: Any) -> Form:  # noqa: ANN401 - a row or a view: both have the fields
    """The form of a number as it is."""
    return Form(
        {
            "name": number.name,
            "destination": _spelled(number.destination),
            "whisper": number.whisper or "",
            "ring_timeout": _spelled(number.ring_timeout),
            "record_calls": _yes_no(number.record_calls),
            "caller_id": number.caller_id.value,
            "revision": str(number.revision),
        }
    )


def read(form: Form) -> dict[str, object]:
    """The settings that were typed, as the use cases read them; what is no number of seconds is noted."""
    raw: dict[str, object] = {
        "name": form["name"],
        "destination": form["destination"].strip() or None,
        "whisper": form["whisper"].strip() or None,
        "record_calls": form["record_calls"] == "yes",
        "caller_id": form["caller_id"] or CallerId.CALLER.value,
    }
    typed = form["ring_timeout"].strip()
    seconds = whole(typed)
    if typed and seconds is None:
        form.add("ring_timeout", "type whole seconds, such as 25")
    else:
        raw["ring_timeout"] = seconds
    return raw


def _yes_no(value: bool) -> str:  # noqa: FBT001 - it is the value itself
    return "yes" if value else "no"


def _spelled(value: object) -> str:
    match value:
        case None:
            return ""
        case PhoneNumber():
            return value.e164
        case _:
            return str(value)
