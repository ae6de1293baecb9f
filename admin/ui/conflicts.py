"""An edit that comes after somebody else's: what was saved meanwhile beside what was typed."""

from collections.abc import Iterable
from typing import Any

from admin.lists import audit as audit_list
from admin.ui.forms import Form
from admin.ui.frame import Asked


def over(
    asked: Asked, about: tuple[str, int], form: Form, saved: Form, shown: Iterable[str]
) -> tuple[Form, dict[str, Any]]:
    """The form as it was typed, on the revision that is in force now; and what `conflict_box` shows.

    `about`: what was edited, as the audit trail names it.
    """
    differing = [name for name in shown if name in form.typed and form[name] != saved[name]]
    raw = {"entity": about[0], "entity_id": about[1], "limit": 1}
    last = audit_list.page(asked.session, asked.actor, raw, asked.now).items
    typed = Form(dict(form.typed) | {"revision": saved["revision"]}, form.errors, form.twice)
    return typed, {"saved": saved, "differing": differing, "last": last[0] if last else None}
