"""Connections to PostgreSQL that give up by themselves.

`statement_timeout` is kept by the server. One that is frozen or cut off by the network keeps
nothing, so while a caller waits the client has to watch the clock too.
"""

import time
from typing import Any, Self, TypeVar

import psycopg
from psycopg.abc import PQGen, PQGenConn

_CONNECT_WITHIN = 1.0
_LOOK_EVERY = 0.05

T = TypeVar("T")


class Impatient(psycopg.Connection[Any]):
    """Waits 1 s for a connection and 0.75 s for an answer, then closes and raises OperationalError."""

    answer_within = 0.75

    def wait(self, gen: PQGen[T], interval: float = _LOOK_EVERY, timeout: float | None = None) -> T:
        limit = self.answer_within if timeout is None else timeout
        try:
            return super().wait(gen, min(interval, _LOOK_EVERY), limit)
        except psycopg.OperationalError:
            if not self.closed and self.pgconn.transaction_status == psycopg.pq.TransactionStatus.ACTIVE:
                # An answer that comes late would be taken for the answer to the next question.
                self.pgconn.finish()
            raise

    @classmethod
    def _connect_gen(cls, conninfo: str = "") -> PQGenConn[Self]:
        """Give up after 1 s; the driver by itself waits at least 2 s, as libpq once did."""
        deadline = time.monotonic() + _CONNECT_WITHIN
        connecting = super()._connect_gen(conninfo)
        awaited = next(connecting)
        while True:
            ready = yield awaited
            if time.monotonic() > deadline:
                connecting.close()
                raise psycopg.OperationalError("the database did not accept the connection in time")
            try:
                awaited = connecting.send(ready)
            except StopIteration as done:
                connection: Self = done.value
                return connection


class Unhurried(Impatient):
    """Waits somewhat longer for an answer: an operator does, too."""

    answer_within = 6.0
