"""Read what was sent: parameters and body as they are, bounded in size, for the use case to judge."""

import json
import re
from typing import Any, NoReturn, get_args, get_origin

from flask import Request
from pydantic.fields import FieldInfo
from werkzeug.exceptions import RequestEntityTooLarge

from admin.api.operations import Operation
from admin.api.problems import Malformed, TooLarge, WrongMediaType
from admin.drafts import LARGEST_ID
from admin.errors import FieldError, Invalid

LARGEST_BODY = 1024 * 1024
LARGEST_UPLOAD = 8 * 1024 * 1024
"""Bytes."""

# Only strong tags can match (RFC 9110, section 13.1.1); the first number in ours is the revision.
_REVISION = re.compile(r'"(\d{1,19})(?:-[0-9a-f]+)?"', re.ASCII)


def read_query(operation: Operation, request: Request) -> dict[str, object]:
    """The parameters by name; those that may be given several times are lists.

    Raise `Invalid` where the operation takes none.
    """
    sent = request.args
    if operation.query is None:
        if sent:
            raise Invalid(*(FieldError(name, "is not known here") for name in sent))
        return {}
    fields = operation.query.model_fields
    many = {name for name, field in fields.items() if _takes_many(field)}
    return {name: values if name in many or len(values) > 1 else values[0] for name, values in sent.lists()}


def _takes_many(field: FieldInfo) -> bool:
    kinds = (field.annotation, *get_args(field.annotation))
    return any(get_origin(kind) is list for kind in kinds)


def read_body(operation: Operation, request: Request) -> object:
    """Read the body as JSON, or as a form whose files are bytes.

    A revision in `If-Match` stands in for one in the body. Raises `Malformed`, `TooLarge`,
    `WrongMediaType`, `Invalid`.
    """
    request.max_content_length = LARGEST_UPLOAD if operation.upload else LARGEST_BODY
    try:
        raw = _form(request) if operation.upload else _json(operation, request)
    except RequestEntityTooLarge:
        limit = request.max_content_length // 1024**2
        raise TooLarge(f"the body is larger than {limit} MB") from None
    revision = _revision(operation, request)
    if revision is not None and isinstance(raw, dict) and raw.setdefault("revision", revision) != revision:
        raise Invalid(FieldError("revision", "differs from the one in If-Match"))
    return raw


def _json(operation: Operation, request: Request) -> object:
    data = request.get_data()
    if not data:
        if not operation.demands_something:
            return {}
        raise Malformed("the body is empty; send a JSON object")
    if operation.body is None:
        raise Malformed("this takes no body")
    if not request.is_json:
        raise WrongMediaType("send JSON, with the header Content-Type: application/json")
    try:
        return json.loads(data.decode("utf-8"), parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise Malformed("the body is no JSON in UTF-8") from None


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)  # NaN and Infinity, which Python knows and JSON does not


def _form(request: Request) -> dict[str, Any]:
    if request.mimetype != "multipart/form-data":
        raise WrongMediaType("send a form, with the header Content-Type: multipart/form-data")
    sent: dict[str, Any] = request.form.to_dict()
    for name, file in request.files.items():
        sent[name] = file.read()
        file.seek(0)
    return sent


def _revision(operation: Operation, request: Request) -> int | None:
    condition = request.headers.get("If-Match")
    if condition is None or condition.strip() == "*":
        return None
    if not operation.takes_revision:
        raise Invalid(FieldError("If-Match", "has no meaning here: what is changed has no revisions"))
    found = _REVISION.fullmatch(condition.strip())
    if found is None or not 0 < int(found[1]) <= LARGEST_ID:
        raise Invalid(FieldError("If-Match", 'must be the ETag of what is changed, such as "3"'))
    return int(found[1])
