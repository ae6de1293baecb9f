"""What the worker forgets of callers: their numbers, where their group does not keep them for ever."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog
from sqlalchemy import Table, or_, select, update

from models.database import Database
from models.group import Group
from models.inheritance import in_force
from models.privacy import callers_not_heard_since, forget
from scripts.settings import Secret

_EVERY = 600.0
"""Seconds between two looks."""
_AGAIN_AFTER = timedelta(days=1)
_BATCH = 200
"""Callers."""

_GROUPS: Table = Group.__table__  # type: ignore[assignment]  # declared as FromClause

log = structlog.get_logger()


class Forgetter:
    """Looks through each group that has a limit once a day. Raises what the database and `pause` raise."""

    def __init__(
        self,
        database: Database,
        key: Secret,
        *,
        pause: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._key = key.reveal().encode()
        self._pause = pause
        self._clock = clock
        self._next = clock()

    def forget(self, now: datetime | None = None) -> None:
        """Forget whose time has come, if it is time to look again."""
        if self._clock() < self._next:
            return
        self._next = self._clock() + _EVERY
        at = now or datetime.now(UTC)
        for group_id, days in self._due(at):
            since = at - timedelta(days=days)
            while count := self._forget_some(group_id, since):
                log.info("callers.forgotten", group=group_id, callers=count)
                self._pause(0)
            with self._database.session() as session:
                # Not through the entity: it is no edit, for neither the index nor the audit trail.
                done = update(_GROUPS).where(_GROUPS.c.id == group_id).values(callers_forgotten_at=at)
                session.connection().execute(done)

    def _due(self, at: datetime) -> list[tuple[int, int]]:
        with self._database.reading() as session:
            if session.scalar(select(Group.id).where(Group.keep_callers_days.is_not(None)).limit(1)) is None:
                return []
            done = Group.callers_forgotten_at
            ids = session.scalars(
                select(Group.id).where(or_(done.is_(None), done <= at - _AGAIN_AFTER))
            ).all()
            held = in_force(session, ids)
            limits = {group_id: own.value("keep_callers_days") for group_id, own in held.items()}
            return [(group_id, days) for group_id, days in limits.items() if days is not None]

    def _forget_some(self, group_id: int, since: datetime) -> int:
        with self._database.session() as session:
            callers = callers_not_heard_since(session, group_id, since, _BATCH)
            forget(session, group_id, callers, self._key)
            return len(callers)
