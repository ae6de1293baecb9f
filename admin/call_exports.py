"""Exports of the call log: asked for by a user, written by the worker, fetched until they expire."""

from datetime import datetime
from typing import Annotated

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from admin.access.actor import Actor
from admin.drafts import Draft, Instant, Reading
from admin.errors import Conflict, NotThere
from admin.files import Form
from admin.lists.calls import CallFilters, check_filters
from admin.views import View
from models.call_export import KEPT_FOR, CallExport, ExportStatus

_AT_ONCE = 3
"""Unfinished ones of one user."""
_NOT_KEPT = {"limit", "cursor", "count", "after_id"}


class NewCallExport(Draft):
    """Which calls, and in which format."""

    format: Annotated[Form, Field(description="`csv`, safe in a spreadsheet, or `jsonl`")] = "csv"
    filters: Annotated[
        CallFilters | None, Field(description="as the list of calls takes them; all calls without")
    ] = None


class CallExportView(View):
    """An export and how far it has come; `file_path` is there once it is done, until it expires."""

    id: int
    format: Form
    status: ExportStatus
    rows: Annotated[int, Field(description="written so far")]
    total: Annotated[int | None, Field(description="to be written, once the work has begun")]
    problem: str | None
    created_at: Instant
    expires_at: Instant
    file_path: str | None


def create(session: Session, actor: Actor, raw: object, now: datetime) -> CallExport:
    """Ask for an export (`raw`: `NewCallExport`).

    Raises `NotAllowed` for a token that may only read, `Invalid`, `Conflict` where enough are under way.
    """
    actor.require_writing()
    reading = Reading()
    draft = reading.read(NewCallExport, raw)
    if draft.filters is not None:
        check_filters(draft.filters, reading, "filters.")
    reading.finish()
    under_way = select(CallExport.id).where(
        CallExport.user_id == actor.user_id,
        CallExport.status.in_([ExportStatus.WAITING, ExportStatus.RUNNING]),
        CallExport.expires_at > now,
    )
    if len(session.scalars(under_way).all()) >= _AT_ONCE:
        raise Conflict("status", f"{_AT_ONCE} exports are under way already; wait for one of them")
    kept = {} if draft.filters is None else draft.filters.model_dump(mode="json", exclude_unset=True)
    export = CallExport(
        user_id=actor.user_id,
        form=draft.format,
        filters={name: value for name, value in kept.items() if name not in _NOT_KEPT},
        status=ExportStatus.WAITING,
        created_at=now,
        expires_at=now + KEPT_FOR,
    )
    session.add(export)
    session.flush()
    return export


def own(session: Session, actor: Actor, export_id: int, now: datetime) -> CallExport:
    """An export that the actor asked for and that has not expired; raise `NotThere`."""
    export = session.get(CallExport, export_id)
    if export is None or export.user_id != actor.user_id or export.expires_at <= now:
        raise NotThere("there is no such export, or it has expired")
    return export


def finished(session: Session, actor: Actor, export_id: int, now: datetime) -> CallExport:
    """One whose file is there; raise `NotThere`."""
    export = own(session, actor, export_id, now)
    if export.status is not ExportStatus.DONE:
        raise NotThere("the file is not written yet")
    return export


def view(export: CallExport) -> CallExportView:
    done = export.status is ExportStatus.DONE
    return CallExportView.model_construct(
        id=export.id,
        format=export.form,
        status=export.status,
        rows=export.rows,
        total=export.total,
        problem=export.problem,
        created_at=export.created_at,
        expires_at=export.expires_at,
        file_path=f"/api/v1/call-exports/{export.id}/file" if done else None,
    )


def all_own(session: Session, actor: Actor, now: datetime) -> list[CallExportView]:
    """Those that have not expired, the latest first."""
    mine = (CallExport.user_id == actor.user_id, CallExport.expires_at > now)
    wanted = select(CallExport).where(*mine).order_by(CallExport.id.desc())
    return [view(export) for export in session.scalars(wanted)]


def discard(session: Session, actor: Actor, export_id: int, now: datetime) -> None:
    """Raise `NotAllowed`, `NotThere`."""
    actor.require_writing()
    session.delete(own(session, actor, export_id, now))
