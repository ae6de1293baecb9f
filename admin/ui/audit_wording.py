"""The audit trail in words: names instead of ids, and what each entry is about."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from admin.access.actor import Actor, sees_group
from admin.drafts import whole
from admin.ui.wording import callers, international
from admin.views import AuditView
from models.api_token import ApiToken
from models.blocked_caller import BlockedCaller
from models.campaign import Campaign
from models.group import Group
from models.plan import Plan
from models.prompt import Prompt
from models.tracking_number import TrackingNumber
from models.user import User
from models.webhook_endpoint import WebhookEndpoint
from routing.numbers import PhoneNumber

_ENTITIES: dict[str, tuple[str, InstrumentedAttribute[Any] | None, str]] = {
    "campaign": ("Campaign", Campaign.name, "/campaigns/{}"),
    "tracking_number": ("Tracking number", TrackingNumber.number, "/tracking-numbers/{}"),
    "group": ("Group", Group.name, "/groups/{}"),
    "prompt": ("Prompt", Prompt.name, "/prompts/{}"),
    "blocked_caller": ("Block", BlockedCaller.pattern, ""),
    "plan": ("Plan", Plan.name, ""),
    "user": ("User", User.name, "/users/{}"),
    "api_token": ("API token", ApiToken.name, ""),
    # What was kept of a caller was erased: nothing is left that could be named.
    "caller": ("Caller", None, ""),
    "webhook_endpoint": ("Webhook", WebhookEndpoint.address, "/settings/webhooks/{}"),
}
"""What the trail is about: in words, by which column it is named, and its page, if it has one."""

_REFERENCES = {
    "owner_id": "user",
    "campaign_id": "campaign",
    "prompt_id": "prompt",
    "plan_id": "plan",
    "group_id": "group",
    "parent_id": "group",
}
"""The fields whose values are ids, and of what."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What an entry is about; `path` is empty where it has no page."""

    kind: str
    name: str
    path: str


def entity(name: str) -> str:
    return _ENTITIES[name][0]


def worded(session: Session, actor: Actor, entries: Iterable[AuditView]) -> list[AuditView]:
    """The entries with names for the ids of what the actor sees; a query for each kind of reference."""
    found = list(entries)
    wanted: dict[str, set[int]] = {}
    for entry in found:
        kind = _REFERENCES.get(entry.field)
        if kind is not None:
            ids = (whole(entry.old or ""), whole(entry.new or ""))
            wanted.setdefault(kind, set()).update(each for each in ids if each is not None)
    names = {kind: _visible_names(session, actor, kind, ids) for kind, ids in wanted.items()}
    return [_with_names(entry, names) for entry in found]


def subjects(session: Session, entries: Iterable[AuditView]) -> dict[int, Subject]:
    """What each entry is about, by the entry's id; a query for each kind of thing."""
    by_kind: dict[str, dict[int, int]] = {}
    for entry in entries:
        by_kind.setdefault(entry.entity, {})[entry.id] = entry.entity_id
    found: dict[int, Subject] = {}
    for kind, ids in by_kind.items():
        label, _, path = _ENTITIES[kind]
        names = _names(session, kind, set(ids.values()))
        for entry_id, entity_id in ids.items():
            name = names.get(entity_id, label if _ENTITIES[kind][1] is None else f"no. {entity_id}")
            found[entry_id] = Subject(label, name, path.format(entity_id))
    return found


def _with_names(entry: AuditView, names: dict[str, dict[int, str]]) -> AuditView:
    kind = _REFERENCES.get(entry.field)
    if kind is None:
        return entry
    old, new = (_named(value, names[kind]) for value in (entry.old, entry.new))
    return entry.model_copy(update={"old": old, "new": new})


def _named(value: str | None, names: dict[int, str]) -> str | None:
    key = whole(value or "")
    return value if key is None else names.get(key, f"no. {value}")


def _visible_names(session: Session, actor: Actor, kind: str, ids: set[int]) -> dict[int, str]:
    """Owners are named to everybody who sees their campaigns, plans to everybody whose groups have them."""
    names = _names(session, kind, ids)
    if kind in {"user", "plan"}:
        return names
    return {each: name for each, name in names.items() if _sees(session, actor, kind, each)}


def _sees(session: Session, actor: Actor, kind: str, entity_id: int) -> bool:
    match kind:
        case "campaign":
            return sees_group(session, actor, session.get_one(Campaign, entity_id).group_id)
        case "prompt":
            return sees_group(session, actor, session.get_one(Prompt, entity_id).group_id)
        case _:
            return sees_group(session, actor, entity_id)


def _names(session: Session, kind: str, ids: set[int]) -> dict[int, str]:
    column = _ENTITIES[kind][1]
    if column is None:
        return {}
    rows = session.execute(select(column.class_.id, column).where(column.class_.id.in_(ids)))
    return {row[0]: _spelled(row[1]) for row in rows}


def _spelled(name: str | PhoneNumber) -> str:
    return international(name) if isinstance(name, PhoneNumber) else callers(name)
