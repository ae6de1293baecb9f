"""What the API offers: resources, and their operations beside the functions that do them."""

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from typing import Any, Literal, TypedDict, TypeVar, Unpack

from pydantic import BaseModel
from sqlalchemy.orm import Session

from admin.access.actor import Actor
from admin.access.gate import Admitted

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
    raw: Any


@dataclass(frozen=True, slots=True)
class File:
    """An answer that is a file."""

    data: bytes = field(repr=False)
    media_type: str
    name: str


View = Callable[..., BaseModel | File | None]
V = TypeVar("V", bound=View)


class Said(TypedDict, total=False):
    """What is said of an operation where it is declared; see `Operation`."""

    answers: type[BaseModel] | str | None
    status: HTTPStatus
    query: type[BaseModel]
    body: type[BaseModel]
    upload: str
    prepare: Callable[[Actor, Any], object]
    shows_secret: bool
    has_revisions: bool
    alone: bool
    asks_carrier: bool
    parts: Mapping[str, Example]
    sends: Example
    example: Example


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
    answers: type[BaseModel] | str | None = None
    """A model, or the media type of a file; None: nothing (204)."""
    status: HTTPStatus = HTTPStatus.OK
    query: type[BaseModel] | None = None
    body: type[BaseModel] | None = None
    """What the body looks like; the use case reads it, so that all errors are found at once."""
    upload: str | None = None
    """The body is a form, and this the name of its file."""
    prepare: Callable[[Actor, Any], object] | None = None
    """Makes of the form what takes long, before the transaction; the result is `Asked.raw`."""
    shows_secret: bool = False
    """The answer is never kept, not even to be given again under the same Idempotency-Key."""
    has_revisions: bool = False
    """What is changed has a revision, which `If-Match` may name."""
    alone: bool = False
    """`view` opens its transactions itself, as signing in must, and whoever asks the carrier in between.

    It takes the body (GET: the parameters) instead of an `Asked`.
    """
    asks_carrier: bool = False
    """What is read comes from the carrier, who may refuse (409) or not answer."""
    parts: Mapping[str, Example] = field(default_factory=dict)
    """The schemas of the parts of the path that are no ids."""
    sends: Example | None = None
    example: Example | None = None

    @property
    def summary(self) -> str:
        return (inspect.getdoc(self.view) or "").partition("\n")[0].rstrip(".")

    @property
    def description(self) -> str:
        return (inspect.getdoc(self.view) or "").partition("\n")[2].strip()

    @property
    def admits(self) -> Admitted:
        admitted: Admitted = getattr(self.view, "admits", Admitted.SIGNED_IN)
        return admitted

    @property
    def changes(self) -> bool:
        return self.method != "GET"

    @property
    def creates(self) -> bool:
        return self.status is HTTPStatus.CREATED

    @property
    def takes_revision(self) -> bool:
        return self.has_revisions or (self.body is not None and "revision" in self.body.model_fields)

    @property
    def demands_something(self) -> bool:
        """Whether an empty body cannot be right."""
        return self.body is not None and any(f.is_required() for f in self.body.model_fields.values())


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

    def get(self, rule: str, **said: Unpack[Said]) -> Callable[[V], V]:
        return self._declare("GET", rule, said)

    def create(self, rule: str, **said: Unpack[Said]) -> Callable[[V], V]:
        """A POST that makes something: 201, and where it is."""
        return self._declare("POST", rule, {"status": HTTPStatus.CREATED, **said})

    def post(self, rule: str, **said: Unpack[Said]) -> Callable[[V], V]:
        """A POST that does something: 200, or 204 where it answers nothing."""
        return self._declare("POST", rule, said)

    def patch(self, rule: str, **said: Unpack[Said]) -> Callable[[V], V]:
        return self._declare("PATCH", rule, said)

    def put(self, rule: str, **said: Unpack[Said]) -> Callable[[V], V]:
        return self._declare("PUT", rule, said)

    def delete(self, rule: str, **said: Unpack[Said]) -> Callable[[V], V]:
        return self._declare("DELETE", rule, said)

    def _declare(self, method: Method, rule: str, said: Said) -> Callable[[V], V]:
        if said.get("answers") is None:
            said = {"status": HTTPStatus.NO_CONTENT, **said}

        def declare(view: V) -> V:
            self.operations.append(Operation(method=method, home=self.path, rule=rule, view=view, **said))
            return view

        return declare
