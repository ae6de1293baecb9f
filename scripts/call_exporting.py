"""What the worker does for exports: write those that were asked for, and throw away what has expired."""

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import structlog
from sqlalchemy import select
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm.exc import ObjectDeletedError, StaleDataError

from admin.access.actor import Actor
from admin.errors import Invalid
from admin.files import Pieces, written
from admin.lists import calls
from models.call_export import CallExport, ExportStatus, add_part, forget_exports, take_export
from models.database import Database
from models.user import User, UserStatus

_ROWS_OF_A_PART = 20_000

log = structlog.get_logger()


class CallExporter:
    """Writes one export at a time. Raises what the database and `pause` raise.

    What is left by that, or by death, is taken again two minutes later, from its beginning.
    """

    def __init__(
        self,
        database: Database,
        *,
        pause: Callable[[float], object] = time.sleep,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`pause` is asked after each part whether to go on."""
        self._database = database
        self._pause = pause
        self._clock = clock

    def export(self) -> bool:
        """Write the next export; False: none was asked for."""
        with self._database.reading() as session:
            if session.scalar(select(CallExport.id).limit(1)) is None:
                return False
        with self._database.session() as session:
            forget_exports(session, self._clock())
            taken = take_export(session, self._clock())
            if taken is None:
                return False
            export_id = taken.id
        try:
            self._write(export_id)
        except (NoResultFound, StaleDataError, ObjectDeletedError):
            log.info("export.discarded", export=export_id)
        return True

    def _write(self, export_id: int) -> None:
        with self._database.reading() as reading:
            export = reading.get_one(CallExport, export_id)
            actor = _actor(reading.get_one(User, export.user_id))
            if actor is None:
                self._end(export_id, ExportStatus.FAILED, "the user was disabled")
                return
            try:
                total = calls.count(reading, actor, export.filters)
            except Invalid as error:
                self._end(export_id, ExportStatus.FAILED, f"the filters are not right any more: {error}")
                return
            self._count(export_id, total)
            rows = _Counted(calls.all_rows(reading, actor, export.filters))
            waiting, kept, position = bytearray(), 0, 0
            for data in written("csv" if export.form == "csv" else "jsonl", calls.EXPORTED, rows):
                waiting += data
                if rows.count - kept >= _ROWS_OF_A_PART:
                    self._keep(export_id, position, bytes(waiting), rows.count - kept)
                    waiting, kept, position = bytearray(), rows.count, position + 1
            self._keep(export_id, position, bytes(waiting), rows.count - kept)
        self._end(export_id, ExportStatus.DONE, None)

    def _keep(self, export_id: int, position: int, data: bytes, rows: int) -> None:
        with self._database.session() as session:
            add_part(session, export_id, position, data, rows=rows, now=self._clock())
        self._pause(0)

    def _count(self, export_id: int, total: int) -> None:
        with self._database.session() as session:
            session.get_one(CallExport, export_id).total = total

    def _end(self, export_id: int, status: ExportStatus, problem: str | None) -> None:
        with self._database.session() as session:
            export = session.get_one(CallExport, export_id)
            export.status, export.problem, export.worked_until = status, problem, None


class _Counted:
    """Counts the rows that pass."""

    def __init__(self, pieces: Pieces) -> None:
        self._pieces = pieces
        self.count = 0

    def __iter__(self) -> Iterator[Sequence[Sequence[Any]]]:
        for rows in self._pieces:
            self.count += len(rows)
            yield rows


def _actor(user: User) -> Actor | None:
    """Who sees what the user sees now; None: he was disabled."""
    if user.status is not UserStatus.ACTIVE:
        return None
    return Actor(user.id, user.group_id, user.role, user.time_zone)
