"""What people and programs send, read into typed drafts: every error of a draft at once.

A draft is a pydantic model whose fields are all optional in its base class; what was not sent is not
set (`model_fields_set`). Formats are checked here, rules that need the database by the use cases,
which go on with what could be read and add their errors to those that were found.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer, ValidationError
from pydantic.json_schema import WithJsonSchema
from pydantic_core import PydanticCustomError

from admin.errors import FieldError, Invalid
from routing.numbers import NotE164, PhoneNumber

# RFC 3339, section 5.6; the offset is mandatory.
_RFC_3339 = re.compile(r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}:\d{2}(\.\d{1,9})?([Zz]|[+-]\d{2}:\d{2})", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_LINE_ENDS = re.compile(r"[\r\n\t]")
LONGEST_NAME = 200
LARGEST_ID = 2**63 - 1
_MOST_DIGITS = 18


def _phone(value: object) -> PhoneNumber:
    if isinstance(value, PhoneNumber):
        return value
    try:
        return PhoneNumber.parse(value if isinstance(value, str) else "")
    except NotE164 as error:
        raise PydanticCustomError("phone_number", "{problem}", {"problem": str(error)}) from None


def _instant(value: object) -> datetime:
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(UTC)
    if not isinstance(value, str) or not _RFC_3339.fullmatch(value):
        raise PydanticCustomError(
            "instant", "an instant is written with its offset, such as 2026-07-01T09:00:00+02:00"
        )
    try:
        return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        raise PydanticCustomError("instant", "there is no such day or time") from None


def line(value: object) -> object:
    """One line of text without control characters, stripped; whatever is no text stays as it is."""
    if not isinstance(value, str):
        return value
    if _CONTROL.search(value) or _LINE_ENDS.search(value):
        raise PydanticCustomError("characters", "has characters that cannot be shown; type it again")
    return value.strip()


def _words(value: object) -> object:
    if isinstance(value, str) and _CONTROL.search(value):
        raise PydanticCustomError("characters", "has characters that cannot be spoken; type it again")
    return value.strip() if isinstance(value, str) else value


def whole(text: str) -> int | None:
    """The whole number that a text is, as far as the database can hold it; else None."""
    return int(text) if text.isdecimal() and len(text) <= _MOST_DIGITS else None


def spelled(moment: datetime) -> str:
    """An instant as we write it: RFC 3339 in UTC."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


Phone = Annotated[
    PhoneNumber,
    BeforeValidator(_phone),
    PlainSerializer(lambda number: number.e164, return_type=str),
    WithJsonSchema({"type": "string", "pattern": r"^\+[1-9][0-9]{6,14}$", "examples": ["+14155550190"]}),
]
"""E.164."""
Instant = Annotated[
    datetime,
    BeforeValidator(_instant),
    PlainSerializer(spelled, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-07-01T07:00:00Z"]}),
]
"""RFC 3339, with offset in and UTC out."""
Line = Annotated[str, Field(max_length=LONGEST_NAME), BeforeValidator(line)]
"""One line of text without control characters, stripped; may be empty."""
Name = Annotated[str, Field(min_length=1, max_length=LONGEST_NAME), BeforeValidator(line)]
"""A `Line` that says something."""
Words = Annotated[str, Field(max_length=2000), BeforeValidator(_words)]
"""Text that a caller hears."""
Id = Annotated[int, Field(ge=1, le=LARGEST_ID)]


class Draft(BaseModel):
    """The ground of all drafts: nothing unknown, nothing guessed (a number is not its text)."""

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, arbitrary_types_allowed=True, validate_default=False
    )

    @property
    def sent(self) -> dict[str, Any]:
        """What was sent, by field."""
        return {name: getattr(self, name) for name in self.model_fields_set}


_D = TypeVar("_D", bound=Draft)


class Reading:
    """A draft as far as it could be read, and everything that is wrong with it.

    Use cases go on with `draft`, `add` what they find, and `finish`.
    """

    def __init__(self) -> None:
        self._errors: list[FieldError] = []

    def read(self, model: type[_D], raw: object) -> _D:
        """Read `raw` as a `model`; a field that is wrong is left out, as if it had not been sent."""
        if not isinstance(raw, Mapping):
            raise Invalid(FieldError("", "send a JSON object"))
        try:
            return model.model_validate(raw)
        except ValidationError as error:
            problems = error.errors(include_url=False, include_input=False)
        wrong = {problem["loc"][0] for problem in problems if problem["loc"]}
        self._errors += [FieldError(_place(p["loc"]), _worded(p["type"], p["msg"])) for p in problems]
        return self._what_is_right(model, raw, wrong)

    def _what_is_right(self, model: type[_D], raw: Mapping[Any, object], wrong: set[Any]) -> _D:
        right: dict[str, Any] = {}
        for name, value in raw.items():
            if name not in wrong and name in model.model_fields:
                # Validated one by one: what is missing beside it must not matter.
                right[name] = _validated(model, name, value)
        return model.model_construct(_fields_set=set(right), **right)

    def add(self, field: str, message: str) -> None:
        self._errors.append(FieldError(field, message))

    def take(self, errors: Iterable[FieldError], place: str) -> None:
        """Add what was found in a part of the draft; `place` leads its fields, such as `numbers.17.`."""
        self._errors += [FieldError(f"{place}{error.field}".rstrip("."), error.message) for error in errors]

    @property
    def errors(self) -> tuple[FieldError, ...]:
        return tuple(self._errors)

    def has_error(self, field: str) -> bool:
        return any(error.field == field for error in self._errors)

    def finish(self) -> None:
        """Raise `Invalid` with all that was found, if anything was."""
        if self._errors:
            raise Invalid(*self._errors)


def _validated(model: type[Draft], name: str, value: object) -> Any:  # noqa: ANN401 - as the field is typed
    try:
        return getattr(
            model.__pydantic_validator__.validate_assignment(model.model_construct(), name, value), name
        )
    except ValidationError:  # pragma: no cover - it was right a moment ago
        return None


def _place(loc: Iterable[int | str]) -> str:
    return ".".join(str(part) for part in loc)


_WORDS = {
    "missing": "is mandatory",
    "string_too_short": "is mandatory",
    "extra_forbidden": "is not known; see the documentation for what there is",
    "string_type": "must be text",
    "int_type": "must be a whole number",
    "bool_type": "must be true or false",
}


def _worded(kind: str, message: str) -> str:
    """Pydantic's words, where ours are not plainer."""
    return _WORDS.get(kind, message[:1].lower() + message[1:])
