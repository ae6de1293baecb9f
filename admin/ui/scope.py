"""The group that the breadcrumb selects: it scopes campaigns and tracking numbers, and is kept.

It stands in the address as `group_id`; who goes on without it keeps the one he chose last.
"""

from flask import request
from flask import session as browser
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from admin.access.actor import Actor, sees_group
from admin.drafts import whole
from models.group import Group, ancestors

FIELD = "group_id"
_KEPT = "group_id"
MOST_SHOWN = 200


def chosen(session: Session, actor: Actor) -> int:
    """The group that the address names, else the one chosen last, else the actor's own."""
    named = whole(request.args.get(FIELD, ""))
    if named is not None and sees_group(session, actor, named):
        if browser.get(_KEPT) != named:
            browser[_KEPT] = named
        return named
    kept = browser.get(_KEPT)
    if isinstance(kept, int) and sees_group(session, actor, kept):
        return kept
    return actor.group_id


def way(session: Session, actor: Actor) -> list[Group]:
    """From the actor's own group to the chosen one, at least one group."""
    whole = ancestors(session, chosen(session, actor))
    for place, group in enumerate(whole):
        if group.id == actor.group_id:
            return whole[place:]
    return whole[-1:]


def tree(session: Session, actor: Actor, words: str) -> list[tuple[int, Group]]:
    """Groups of the actor's subtree with their depth below it, in the order of a tree.

    With `words` those whose name or external ID contain them, with the groups above them. At most
    `MOST_SHOWN` matches.
    """
    visible = select(Group).where(Group.id.in_(actor.visible_groups()), Group.archived_at.is_(None))
    if words:
        like = f"%{_escaped(words.lower())}%"
        visible = visible.where(
            func.lower(Group.name).like(like, escape="\\")
            | func.lower(func.coalesce(Group.external_id, "")).like(like, escape="\\")
        )
    found = list(session.scalars(visible.order_by(func.lower(Group.name), Group.id).limit(MOST_SHOWN)))
    shown = {group.id: group for group in found}
    for group in found:
        for above in ancestors(session, group.id)[::-1]:
            shown.setdefault(above.id, above)
            if above.id == actor.group_id:
                break
    below: dict[int, list[Group]] = {}
    for group in sorted(shown.values(), key=lambda group: (group.name.lower(), group.id)):
        if group.id != actor.group_id and group.parent_id is not None:
            below.setdefault(group.parent_id, []).append(group)
    ordered: list[tuple[int, Group]] = []
    waiting = [(0, shown[actor.group_id])] if actor.group_id in shown else []
    while waiting:
        depth, group = waiting.pop()
        ordered.append((depth, group))
        waiting += [(depth + 1, child) for child in reversed(below.get(group.id, []))]
    return ordered


def _escaped(words: str) -> str:
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
