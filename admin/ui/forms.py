"""What people type into forms, made into what use cases read; and shown again with what is wrong.

A form field is always text. Empty text is "not given"; moments are typed in the user's zone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from werkzeug.datastructures import MultiDict

from admin.drafts import spelled, whole
from admin.errors import Conflict, FieldError, Invalid
from admin.ui import times


class Wrong(Exception):
    """Something that was typed cannot be read; the form says what."""


@dataclass
class Form:
    """Fields as they were typed (or are first shown), and the errors beside them."""

    typed: Mapping[str, str] = field(default_factory=dict)
    errors: dict[str, list[str]] = field(default_factory=dict)
    twice: dict[str, times.Twice] = field(default_factory=dict)
    """Moments that the clocks show twice: the form asks which one is meant."""

    def __getitem__(self, name: str) -> str:
        return self.typed.get(name, "")

    @property
    def revision(self) -> int | None:
        """Which revision the form was filled from."""
        return self.whole("revision")

    def whole(self, name: str) -> int | None:
        """The whole number that was sent; None where it is none."""
        return whole(self[name])

    def error(self, name: str) -> str:
        return "; ".join(self.errors.get(name, ()))

    @property
    def others(self) -> list[str]:
        """Errors of the form as a whole."""
        return self.errors.get("", [])

    @property
    def is_right(self) -> bool:
        return not self.errors

    def add(self, name: str, message: str) -> None:
        self.errors.setdefault(name, []).append(message)

    def finish(self) -> None:
        """Raise `Wrong` if anything is; within a transaction, so that nothing is written."""
        if self.errors:
            raise Wrong

    def refuse(self, refusal: Invalid | Conflict | Wrong, shown: Iterable[str]) -> None:
        """Put a use case's errors beside the fields that are shown, the others above the form."""
        if isinstance(refusal, Wrong):
            return
        found = refusal.errors if isinstance(refusal, Invalid) else (FieldError(refusal.field, str(refusal)),)
        names = set(shown)
        for error in found:
            if error.field in names:
                self.add(error.field, error.message)
            else:
                self.add("", f"{_label(error.field)} {error.message}".strip())

    def moment(self, name: str, zone: ZoneInfo) -> str | None:
        """The instant of a field as RFC 3339, or None where none was typed or it is wrong, which is noted.

        The hidden field `<name>_exactly` keeps the instant that the form was opened with: who does not
        touch the time does not change its seconds, nor which of two equal hours it is.
        """
        text = self[name]
        if not text:
            return None
        exactly, shown = self[f"{name}_exactly"], self[f"{name}_shown"]
        if exactly and text == shown:
            return exactly
        try:
            found = times.read(text, zone)
        except times.NotATime as error:
            self.add(name, str(error))
            return None
        if not isinstance(found, times.Twice):
            return spelled(found)
        self.twice[name] = found
        match self[f"{name}_which"]:
            case "earlier":
                return spelled(found.earlier)
            case "later":
                return spelled(found.later)
            case _:
                self.add(name, "clocks were put back on that day and showed this time twice; say which one")
                return None


def form_of(sent: MultiDict[str, str]) -> Form:
    return Form({name: sent[name] for name in sent})


def _label(name: str) -> str:
    return name.removesuffix("_id").replace("_", " ").capitalize()
