"""`/api/v1/call-exports`."""

from typing import Any

from admin import call_exports as use_cases
from admin.api.operations import Asked, LongFile, Resource
from admin.call_exports import CallExportView, NewCallExport
from admin.views import Page
from models.call_export import part, parts_of

call_exports = Resource(
    "call-exports",
    "Call exports",
    "The call log as a file, however long: ask for it, look how far it has come, and fetch it within two "
    "days. Only you see your exports.",
)

EXPORT: dict[str, Any] = {
    "id": 3,
    "format": "csv",
    "status": "done",
    "rows": 1204311,
    "total": 1204311,
    "problem": None,
    "created_at": "2026-07-02T07:00:00Z",
    "expires_at": "2026-07-04T07:00:00Z",
    "file_path": "/api/v1/call-exports/3/file",
}
_WAITING = EXPORT | {"status": "waiting", "rows": 0, "total": None, "file_path": None}


@call_exports.get(
    "", answers=Page[CallExportView], example={"items": [EXPORT], "next_cursor": None, "total": None}
)
def list_call_exports(asked: Asked) -> Page[CallExportView]:
    """List your exports that have not expired, the latest first."""
    return Page(items=use_cases.all_own(asked.session, asked.actor, asked.now))


@call_exports.create(
    "",
    body=NewCallExport,
    sends={"format": "csv", "filters": {"started_from": "2026-01-01T00:00:00Z", "decision": ["connect"]}},
    answers=CallExportView,
    example=_WAITING,
)
def create_call_export(asked: Asked) -> CallExportView:
    """Ask for an export; the worker writes it, as you may see the calls when it does."""
    return use_cases.view(use_cases.create(asked.session, asked.actor, asked.raw, asked.now))


@call_exports.get("/<id:export_id>", answers=CallExportView, example=EXPORT)
def show_call_export(asked: Asked, export_id: int) -> CallExportView:
    """Show how far an export has come."""
    return use_cases.view(use_cases.own(asked.session, asked.actor, export_id, asked.now))


@call_exports.get("/<id:export_id>/file", answers="application/octet-stream")
def download_call_export(asked: Asked, export_id: int) -> LongFile:
    """Download the file of an export that is done."""
    export = use_cases.finished(asked.session, asked.actor, export_id, asked.now)
    return LongFile(
        parts_of(asked.session, export.id),
        lambda session, position: part(session, export_id, position),
        f"calls-{export.created_at:%Y-%m-%d}.{export.form}",
    )


@call_exports.delete("/<id:export_id>")
def discard_call_export(asked: Asked, export_id: int) -> None:
    """Throw an export away, also one that is not done."""
    use_cases.discard(asked.session, asked.actor, export_id, asked.now)
