"""`/api/v1/audit-entries`."""

from typing import Any

from admin.api.operations import Asked, Resource
from admin.lists import audit as lists
from admin.lists.audit import AuditFilters
from admin.views import AuditView, Page

audit_entries = Resource(
    "audit-entries", "Audit entries", "Who changed what, when, from which value to which."
)

ENTRY: dict[str, Any] = {
    "id": 88,
    "at": "2026-07-01T07:00:00Z",
    "user_id": 4,
    "user_name": "Otis Owner",
    "via": "api",
    "entity": "campaign",
    "entity_id": 7,
    "group_id": 2,
    "field": "ends_at",
    "old": None,
    "new": "2026-10-01T07:00:00Z",
}


@audit_entries.get(
    "",
    query=AuditFilters,
    answers=Page[AuditView],
    example={"items": [ENTRY], "next_cursor": None, "total": None},
)
def list_audit_entries(asked: Asked) -> Page[AuditView]:
    """List what was changed, the latest first: an entry for each field."""
    return lists.page(asked.session, asked.actor, asked.query, asked.now)
