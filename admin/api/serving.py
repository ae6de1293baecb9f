"""From a request to its answer, the same for all operations: place, transaction, answer, headers."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps

from flask import Response, request
from pydantic import BaseModel

from admin.access.actor import Actor
from admin.access.gate import current_actor
from admin.api import idempotency
from admin.api.idempotency import Key, KeyInUse
from admin.api.operations import Asked, File, Operation
from admin.api.requests import read_body, read_query
from admin.desk import Desk
from admin.errors import Conflict
from admin.room import Room


@dataclass(frozen=True, slots=True)
class _Sent:
    """A request that changes something."""

    actor: Actor
    now: datetime
    path: dict[str, object]
    query: dict[str, object]
    raw: object
    key: Key | None


class Serving:
    """Makes a Flask view of an operation. What goes wrong is raised, for `problems` to word."""

    def __init__(self, desk: Desk, room: Room) -> None:
        self._desk = desk
        self._room = room

    def view_of(self, operation: Operation) -> Callable[..., Response]:
        def read(**path: object) -> Response:
            query = read_query(operation, request)
            with self._room.place(), self._desk.reading() as session:
                asked = Asked(session, current_actor(), self._desk.clock(), query, {})
                answer = _answer(operation, operation.view(asked, **path))
            answer.make_conditional(request)
            return answer

        def change(**path: object) -> Response:
            actor, query = current_actor(), read_query(operation, request)
            # A body that comes slowly keeps a place of operators, never a thread that a caller needs.
            with self._room.place():
                raw = read_body(operation, request)
                key = idempotency.key_of(request, actor.user_id) if operation.method == "POST" else None
                if operation.prepare is not None:
                    raw = operation.prepare(actor, raw)
                return self._change(operation, _Sent(actor, self._desk.clock(), path, query, raw, key))

        def alone(**path: object) -> Response:
            with self._room.place():
                query = read_query(operation, request)
                raw = read_body(operation, request) if operation.changes else query
                return _answer(operation, operation.view(raw, **path))

        view = alone if operation.alone else change if operation.changes else read
        return wraps(operation.view)(view)

    def _change(self, operation: Operation, sent: _Sent) -> Response:
        """Do it once: under a key that was used before, the earlier answer is given again."""
        if sent.key is not None and (earlier := self._replay(sent.key)) is not None:
            return earlier
        try:
            with self._desk.writing(sent.actor) as session:
                kept = None if sent.key is None else idempotency.claim(session, sent.key, sent.now)
                asked = Asked(session, sent.actor, sent.now, sent.query, sent.raw)
                answer = _answer(operation, operation.view(asked, **sent.path))
                if kept is not None:
                    idempotency.keep(kept, answer, secret=operation.shows_secret)
                return answer
        except KeyInUse:
            if sent.key is not None and (earlier := self._replay(sent.key)) is not None:
                return earlier
            raise Conflict(idempotency.HEADER, "the same request is under way; try again") from None

    def _replay(self, key: Key) -> Response | None:
        with self._desk.reading() as session:
            return idempotency.replay(session, key)


def _answer(operation: Operation, given: BaseModel | File | None) -> Response:
    match given:
        case None:
            return Response(status=operation.status)
        case File():
            answer = Response(given.data, operation.status, mimetype=given.media_type)
            answer.headers["Content-Disposition"] = f'attachment; filename="{given.name}"'
        case BaseModel():
            answer = Response(given.model_dump_json(), operation.status, mimetype="application/json")
            if operation.creates and (made := getattr(given, "id", None)) is not None:
                answer.headers["Location"] = f"{operation.home}/{made}"
    answer.set_etag(_tag(answer.get_data(), getattr(given, "revision", None)))
    return answer


def _tag(data: bytes, revision: int | None) -> str:
    """What names this answer; its number is the revision that `If-Match` takes.

    The digest stands beside it, since a campaign's state changes with the clock and not with a revision.
    """
    digest = hashlib.sha256(data).hexdigest()[:16]
    return digest if revision is None else f"{revision}-{digest}"
