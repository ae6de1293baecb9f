"""Describe the API in OpenAPI 3.1, from the operations as they are declared."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode, models_json_schema

from admin.access.gate import Admitted
from admin.api.idempotency import HEADER as IDEMPOTENCY_KEY
from admin.api.operations import Operation, Resource
from admin.api.problems import Problem
from admin.api.statuses import MEANINGS, WHEN_READING, Json, problem_response, said
from admin.api.webhook_events import PAYLOADS, webhooks

_REF = "#/components/schemas/{model}"
_REFERENCE = re.compile(r'"#/components/schemas/([^"]+)"')
_GENERIC = re.compile(r"(\w+)\[(?:Union\[)?(?:Annotated\[)?(\w+)")
_PART = re.compile(r"<(?:(\w+):)?(\w+)>")

ABOUT = """Manage campaigns, tracking numbers, groups, prompts and users, and read the call log.

Send `Authorization: Bearer <token>`; `hookswitch token create` makes one. A token sees the group of
its user and the groups below it: everything else is not there (404). Scopes: `read`, `write`, and
`admin` for users, tokens, groups, plans and webhook endpoints.

- Instants are RFC 3339 with an offset; answers are in UTC. Phone numbers are E.164. Ids are integers.
- Lists give `limit` items (1 to 200) and a `next_cursor`; send it back as `cursor` for what follows.
  The order is stable while things change. `count=true` adds `total`.
- Errors are problem details (RFC 9457): all that is wrong with a request at once, in `errors`.
- A POST with an `Idempotency-Key` is done once, however often it is sent within 24 hours: the answer
  is given again, with `Idempotency-Replayed: true`. Refusals are not kept.
- What has a `revision` also has it in its `ETag`. Send it back, in `If-Match` or as `revision`, and
  nothing newer is overwritten (409).
- 600 requests a minute for a token; then 429 with `Retry-After`.
"""


def document(resources: Sequence[Resource], version: str) -> Json:
    """The whole document; every status that can occur is in it."""
    operations = [operation for resource in resources for operation in resource.operations]
    schemas, components = _schemas(operations)
    paths: Json = {}
    for resource in resources:
        for operation in resource.operations:
            path = _PART.sub(r"{\2}", operation.home + operation.rule)
            paths.setdefault(path, {})[operation.method.lower()] = _operation(
                resource, operation, schemas, components
            )
    told = webhooks({model: schemas[model, "serialization"] for model, _ in PAYLOADS.values()})
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Hookswitch",
            "version": version,
            "summary": "Call routing for tracking numbers",
            "description": ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": resource.title, "description": resource.about} for resource in resources],
        "security": [{"token": []}, {"session": []}],
        "paths": paths,
        "webhooks": told,
        "components": {
            "schemas": _referred_to(components, {"paths": paths, "webhooks": told}),
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token made by `hookswitch token create` or at /api/v1/api-tokens.",
                },
                "session": {
                    "type": "apiKey",
                    "in": "cookie",
                    "name": "__Host-hookswitch",
                    "description": "The browser's session; changes also need its X-CSRF-Token.",
                },
            },
            "responses": {
                status.name: problem_response(status, schemas[Problem, "serialization"])
                for status in MEANINGS
            },
        },
    }


_Schemas = Mapping[tuple[type[Any], JsonSchemaMode], Json]


class _Plain(GenerateJsonSchema):
    """With short names, and without a title for each field that only says its name again."""

    def normalize_name(self, name: str) -> str:
        of = _GENERIC.match(name)
        if of is None:
            return super().normalize_name(name)
        return f"{of[1]}Of{of[2][:1].upper()}{of[2][1:]}{'OrNull' if 'NoneType' in name else ''}"

    def field_title_should_be_set(self, schema: object) -> bool:  # noqa: ARG002 - pydantic's signature
        return False


def _schemas(operations: Sequence[Operation]) -> tuple[_Schemas, Json]:
    """A reference for each model as it is read or written, and the components that are referred to."""
    # A dict keeps the order in which they came.
    wanted: dict[tuple[type[BaseModel], JsonSchemaMode], None] = {(Problem, "serialization"): None}
    wanted |= {(model, "serialization"): None for model, _ in PAYLOADS.values()}
    for operation in operations:
        for model in (operation.query, operation.body):
            if model is not None:
                wanted[model, "validation"] = None
        if isinstance(operation.answers, type):
            wanted[operation.answers, "serialization"] = None
    schemas, defined = models_json_schema(list(wanted), ref_template=_REF, schema_generator=_Plain)
    components: Json = defined["$defs"]
    _word(components)
    changing = (o.body for o in operations if o.method == "PATCH" and o.body is not None)
    for model in changing:
        # What is not sent stays as it is, whatever a new thing would get.
        for field in _resolved(schemas[model, "validation"], components)["properties"].values():
            field.pop("default", None)
    return dict(schemas), components


def _word(components: Json) -> None:
    """Make sentences of the descriptions of fields."""
    for described in components.values():
        for field in described.get("properties", {}).values():
            if "description" in field:
                field["description"] = _sentence(field["description"])


def _referred_to(components: Json, paths: Json) -> Json:
    """Without those whose fields stand as parameters, and what only they name."""
    wanted = {Problem.__name__} | _names_in(paths)
    found: set[str] = set()
    while new := wanted - found:
        found |= new
        wanted = {name for part in new for name in _names_in(components[part])}
    return {name: schema for name, schema in components.items() if name in found}


def _names_in(described: Json) -> set[str]:
    return set(_REFERENCE.findall(json.dumps(described)))


def _operation(resource: Resource, operation: Operation, schemas: _Schemas, components: Json) -> Json:
    described: Json = {
        "operationId": operation.view.__name__,
        "tags": [resource.title],
        "summary": operation.summary,
        "parameters": [*_path(operation), *_query(operation, schemas, components), *_headers(operation)],
        "responses": _responses(operation, schemas),
    }
    if operation.description:
        described["description"] = operation.description
    if operation.body is not None or operation.upload:
        described["requestBody"] = _body(operation, schemas, components)
    if operation.admits is Admitted.ANYBODY:
        described["security"] = []
    return described


def _path(operation: Operation) -> Iterator[Json]:
    for converter, name in _PART.findall(operation.rule):
        schema = _ID if converter == "id" else operation.parts[name]
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def _query(operation: Operation, schemas: _Schemas, components: Json) -> Iterator[Json]:
    if operation.query is None:
        return
    schema = _resolved(schemas[operation.query, "validation"], components)
    for name, described in schema.get("properties", {}).items():
        plain = _never_null(described)
        parameter = {"name": name, "in": "query", "required": name in schema.get("required", ())}
        if "description" in plain:
            parameter["description"] = _sentence(plain.pop("description"))
        yield parameter | {"schema": plain}


def _resolved(schema: Json, components: Json) -> Json:
    found: Json = components[schema["$ref"].rpartition("/")[2]]
    return found


def _never_null(schema: Json) -> Json:
    """A parameter that is not given is absent, never null."""
    plain = dict(schema)
    kinds = [kind for kind in plain.pop("anyOf", ()) if kind != {"type": "null"}]
    if len(kinds) == 1:
        plain |= kinds[0]
    elif kinds:
        plain["anyOf"] = kinds
    if plain.get("default", ...) is None:
        del plain["default"]
    return plain


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:].rstrip(".") + "."


def _headers(operation: Operation) -> Iterator[Json]:
    if operation.method == "GET":
        yield _header("If-None-Match", "An `ETag` that you have: 304 if nothing has changed.", {})
    if operation.method == "POST" and not operation.alone:
        key = {"minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"}
        yield _header(IDEMPOTENCY_KEY, "Any text of your own, new for each thing to be done.", key)
    if operation.takes_revision:
        tag = {"pattern": r'^"[1-9][0-9]{0,17}(-[0-9a-f]{1,64})?"$', "examples": ['"3"']}
        yield _header("If-Match", "The `ETag` of what you read: 409 if it was changed meanwhile.", tag)


def _header(name: str, description: str, schema: Json) -> Json:
    return {
        "name": name,
        "in": "header",
        "required": False,
        "description": description,
        "schema": {"type": "string"} | schema,
    }


def _body(operation: Operation, schemas: _Schemas, components: Json) -> Json:
    schema: Json = {"type": "object"}
    if operation.body is not None:
        schema = schemas[operation.body, "validation"]
    if operation.upload is None:
        content = {"schema": schema, "example": operation.sends}
        return {"required": operation.demands_something, "content": {"application/json": content}}
    if "$ref" in schema:
        schema = dict(_resolved(schema, components))
    schema["properties"] = schema.get("properties", {}) | {operation.upload: _SOUND}
    schema["required"] = [*schema.get("required", ()), operation.upload]
    return {"required": True, "content": {"multipart/form-data": {"schema": schema}}}


def _responses(operation: Operation, schemas: _Schemas) -> Json:
    success: Json = {"description": operation.status.phrase, "headers": {}}
    match operation.answers:
        case None:
            del success["headers"]
        case str(media_type):
            success["content"] = {media_type: {"schema": {"type": "string", "format": "binary"}}}
        case model:
            content = {"schema": schemas[model, "serialization"], "example": operation.example}
            success["content"] = {"application/json": content}
    if operation.answers is not None:
        success["headers"]["ETag"] = said(
            "Names this answer; its number is the revision, where there is one."
        )
    if operation.creates:
        success["headers"]["Location"] = said("Where it is.")
    responses: Json = {str(operation.status.value): success}
    if not operation.changes:
        responses["304"] = {"description": "You have it already."}
    refusing = (HTTPStatus.CONFLICT,) if operation.asks_carrier else ()
    for status in MEANINGS if operation.changes else (*WHEN_READING, *refusing):
        responses[str(status.value)] = {"$ref": f"#/components/responses/{status.name}"}
    return responses


_ID: Json = {"type": "integer", "minimum": 1, "maximum": 10**18 - 1}
_SOUND: Json = {
    "type": "string",
    "format": "binary",
    "description": "A WAV, MP3, Ogg or FLAC file, 8 MB and 5 minutes at most.",
}
