"""What the API offers: resources, and their operations beside the functions that do them."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any, Literal, TypeVar

from pydantic import BaseModel
from sqlalchemy.orm import Session

from admin.access.actor import Actor

ROOT = "/api/v1"

Method = Literal["GET", "POST", "PATCH", "PUT", "DELETE"]
Example = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of somebody known, with the transaction in which it is answered.

    `raw` is the body as it was sent, `query` the parameters by name: use cases and lists read them.
    """

    session: Session
    actor: Actor
    now: datetime
    query: dict[str, object]
    raw: object


@dataclass(frozen=True, slots=True)
class File:
    """An answer that is a file."""

    data: bytes = field(repr=False)
    media_type: str
    name: str


View = Callable[..., BaseModel | File | None]
V = TypeVar("V", bound=View)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One method at one path.

    `view` takes an `Asked` and the parts of the path by name, changes what there is to change in the
    session and returns the answer; what it raises is answered as a problem (`admin.api.problems`).
    """

    method: Method
    home: str
    """The path of the resource."""
    rule: str
    """Below it, as Flask writes it: `/<id:plan_id>`."""
    view: View
    answers: type[BaseModel] | str | None
    """A model, or the media type of a file; None: nothing (204)."""
    status: HTTPStatus
    query: type[BaseModel] | None
    body: type[BaseModel] | None
    """What the body looks like; the use case reads it, so that all errors are found at once."""
    upload: bool
    """The body is a form with a file, `audio`."""
    shows_secret: bool
    """The answer is never kept, not even to be given again under the same Idempotency-Key."""
    has_revisions: bool
    """What is changed has a revision, which `If-Match` may name."""
    alone: bool
    """`view` opens its transactions itself, as signing in must; it takes the body instead of an `Asked`."""
    sends_example: Example | None
    example: Example | None

    @property
    def summary(self) -> str:
        return (inspect.getdoc(self.view) or "").partition("\n")[0].rstrip(".")

    @property
    def description(self) -> str:
        return (inspect.getdoc(self.view) or "").partition("\n")[2].strip()

    @property
    def creates(self) -> bool:
        return self.status is HTTPStatus.CREATED

    @property
    def changes(self) -> bool:
        return self.method != "GET"


@dataclass(slots=True)
class Resource:
    """One kind of thing at `/api/v1/<name>`. Its functions' docstrings are its documentation."""

    name: str
    title: str
    about: str
    operations: list[Operation] = field(default_factory=list)

    @property
    def path(self) -> str:
        return f"{ROOT}/{self.name}"

    def get(
        self,
        rule: str,
        *,
        answers: type[BaseModel] | str,
        query: type[BaseModel] | None = None,
        alone: bool = False,
        example: Example | None = None,
    ) -> Callable[[V], V]:
        return self._operation("GET", rule, answers=answers, query=query, alone=alone, example=example)

    def post(
        self,
        rule: str,
        *,
        answers: type[BaseModel] | None,
        body: type[BaseModel] | None = None,
        status: HTTPStatus = HTTPStatus.CREATED,
        upload: bool = False,
        shows_secret: bool = False,
        alone: bool = False,
        sends: Example | None = None,
        example: Example | None = None,
    ) -> Callable[[V], V]:
        """Declare what creates something (201) or does something (pass 200)."""
        return self._operation(
            "POST",
            rule,
            answers=answers,
            body=body,
            status=status,
            upload=upload,
            shows_secret=shows_secret,
            alone=alone,
            sends_example=sends,
            example=example,
        )

    def patch(
        self,
        rule: str,
        *,
        answers: type[BaseModel],
        body: type[BaseModel],
        sends: Example,
        example: Example,
    ) -> Callable[[V], V]:
        return self._operation(
            "PATCH", rule, answers=answers, body=body, sends_example=sends, example=example
        )

    def put(
        self,
        rule: str,
        *,
        answers: type[BaseModel],
        body: type[BaseModel],
        sends: Example,
        example: Example,
        upload: bool = False,
    ) -> Callable[[V], V]:
        return self._operation(
            "PUT", rule, answers=answers, body=body, upload=upload, sends_example=sends, example=example
        )

    def delete(
        self,
        rule: str,
        *,
        query: type[BaseModel] | None = None,
        has_revisions: bool = False,
        alone: bool = False,
    ) -> Callable[[V], V]:
        return self._operation(
            "DELETE",
            rule,
            answers=None,
            status=HTTPStatus.NO_CONTENT,
            query=query,
            has_revisions=has_revisions,
            alone=alone,
        )

    def _operation(
        self,
        method: Method,
        rule: str,
        *,
        answers: type[BaseModel] | str | None,
        status: HTTPStatus = HTTPStatus.OK,
        query: type[BaseModel] | None = None,
        body: type[BaseModel] | None = None,
        upload: bool = False,
        shows_secret: bool = False,
        has_revisions: bool = False,
        alone: bool = False,
        sends_example: Example | None = None,
        example: Example | None = None,
    ) -> Callable[[V], V]:
        has_revisions |= body is not None and "revision" in body.model_fields

        def declare(view: V) -> V:
            self.operations.append(
                Operation(
                    method=method,
                    home=self.path,
                    rule=rule,
                    view=view,
                    answers=answers,
                    status=status,
                    query=query,
                    body=body,
                    upload=upload,
                    shows_secret=shows_secret,
                    has_revisions=has_revisions,
                    alone=alone,
                    sends_example=sends_example,
                    example=example,
                )
            )
            return view

        return declare
