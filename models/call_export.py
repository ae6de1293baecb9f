"""Exports of the call log that the worker writes, for whoever asked; kept for a while, compressed."""

import zlib
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import JSON, ForeignKey, LargeBinary, delete, func, or_, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from models.base import Base, words

KEPT_FOR = timedelta(days=2)
"""From when it is asked for until its file is thrown away."""
_AT_WORK = timedelta(minutes=2)
"""A worker that says nothing for this long is dead: it writes a part every few seconds."""


class ExportStatus(StrEnum):
    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class CallExport(Base):
    """One export: what is wanted, and how far it has come."""

    __tablename__ = "call_exports"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    form: Mapped[str]
    """csv or jsonl."""
    filters: Mapped[Any] = mapped_column(JSON())
    """As the list of calls takes them."""
    status: Mapped[ExportStatus] = mapped_column(words(ExportStatus, "status"))
    rows: Mapped[int] = mapped_column(default=0)
    """Written so far."""
    total: Mapped[int | None]
    """To be written, as it was counted when the work began."""
    problem: Mapped[str | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    worked_until: Mapped[datetime | None]


class ExportPart(Base):
    """Some thousand rows of an export, compressed."""

    __tablename__ = "call_export_parts"

    export_id: Mapped[int] = mapped_column(
        ForeignKey("call_exports.id", ondelete="CASCADE"), primary_key=True
    )
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    data: Mapped[bytes] = mapped_column(LargeBinary())


def take_export(session: Session, now: datetime) -> CallExport | None:
    """The export that has waited longest, or that a dead worker left; None: there is none."""
    export = session.scalar(
        select(CallExport)
        .where(
            CallExport.expires_at > now,
            or_(
                CallExport.status == ExportStatus.WAITING,
                (CallExport.status == ExportStatus.RUNNING) & (CallExport.worked_until < now),
            ),
        )
        .order_by(CallExport.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    if export is None:
        return None
    session.execute(delete(ExportPart).where(ExportPart.export_id == export.id))
    export.status, export.rows, export.worked_until = ExportStatus.RUNNING, 0, now + _AT_WORK
    return export


def add_part(
    session: Session, export_id: int, position: int, data: bytes, *, rows: int, now: datetime
) -> None:
    """Keep a part and say that the work goes on. Raises `NoResultFound` where the export is gone."""
    export = session.get_one(CallExport, export_id)
    session.add(ExportPart(export_id=export_id, position=position, data=zlib.compress(data, 1)))
    export.rows += rows
    export.worked_until = now + _AT_WORK


def parts_of(session: Session, export_id: int) -> int:
    """How many parts there are."""
    return session.scalars(select(func.count()).where(ExportPart.export_id == export_id)).one()


def part(session: Session, export_id: int, position: int) -> bytes:
    """The bytes of the file from there on, some; none where the export has expired meanwhile."""
    found = session.get(ExportPart, (export_id, position))
    return b"" if found is None else zlib.decompress(found.data)


def forget_exports(session: Session, now: datetime) -> None:
    """Throw away what has expired."""
    expired = select(CallExport.id).where(CallExport.expires_at <= now)
    session.execute(delete(ExportPart).where(ExportPart.export_id.in_(expired)))
    session.execute(delete(CallExport).where(CallExport.expires_at <= now))
