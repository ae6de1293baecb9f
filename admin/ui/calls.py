"""The call log: filters, saved filters, download, and what is new while somebody looks at it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from flask import Blueprint, Response, request
from sqlalchemy import func, select

from admin.lists import calls as call_list
from admin.ui import call_wording, choosing, grids, ranges
from admin.ui.downloads import Column, columns, download
from admin.ui.forms import Form
from admin.ui.frame import Asked, Frame
from admin.ui.wording import sentence
from admin.views import CallView
from models.call import Call

LISTED: grids.Listed[CallView] = grids.Listed(
    name="calls",
    path="/calls",
    filters=call_list.CallFilters,
    load=call_list.page,
    days=("started",),
)
DOWNLOADED: list[Column[CallView]] = columns(*CallView.model_fields)
_MOST_NEW = 50
_MOST_OPEN = 200
_OPEN = re.compile(r"(\d{1,18}):([a-z-]{1,20})")


@dataclass(frozen=True, slots=True)
class Live:
    """What a page that is being looked at asks for next."""

    query: str
    after_id: int
    """The call that was logged last, whether it fits the filters or not."""
    open: str
    """The calls on the page that are still on, with how each is shown: `17:ringing,12:in-progress`."""


def calls(frame: Frame) -> Blueprint:
    views = Blueprint("calls", __name__)

    @views.get("/calls")
    def grid() -> Response:
        return grids.shown(frame, LISTED, "calls/grid.html", "calls/grid_part.html", _choices, of_grid=_live)

    @views.get("/calls/live")
    def live() -> Response:
        """The calls that were logged since, and those of the page that went on; nothing else.

        Calls are told apart by the order in which they were logged: one that comes late, out of the
        journal of a host that was cut off, is new as well.
        """
        with frame.reading() as asked:
            after = request.args.get("after_id", 0, type=int)
            last = _last_id(asked)
            query = LISTED.query()
            form = Form(dict(query))
            raw = LISTED.raw(asked, query, form) | {"sort": "-started_at", "after_id": after or None}
            new: list[CallView] = []
            is_more = False
            if last > after and form.is_right:
                page = call_list.page(asked.session, asked.actor, raw | {"limit": _MOST_NEW}, asked.now)
                new, is_more = page.items, page.next_cursor is not None
            shown = _opened(request.args.get("open", ""))
            known = call_list.some(asked.session, asked.actor, list(shown))
            changed = [view for view in known if call_wording.standing(view, asked.now) != shown[view.id]]
            going_on = Live(grids.encoded(query), max(after, last), _open([*new, *known], asked))
            said: dict[str, Any] = {"new": new, "is_more": is_more, "changed": changed, "live": going_on}
            return frame.fragment(asked, "calls/live.html", **said)

    @views.post("/calls/filters")
    def save_filters() -> Response:
        return LISTED.save(frame)

    @views.post("/calls/filters/reset")
    def reset_filters() -> Response:
        return LISTED.reset(frame)

    @views.get("/calls/download.<form>")
    def download_all(form: str) -> Response:
        with frame.reading() as asked:
            rows = LISTED.all_rows(frame, asked)
        return download(frame, asked, f"calls.{form}", rows, DOWNLOADED)

    return views


def _choices(asked: Asked) -> Mapping[str, Any]:
    return {
        "campaigns": choosing.campaign_choices(asked, chosen=request.args.get("campaign_id", "")),
        "groups": choosing.group_choices(asked, chosen=request.args.get("group_id", "")),
        "decisions": get_args(call_list.Decision),
        "reasons": [(word.value, sentence(text)) for word, text in call_wording.REASONS.items()],
        "dispositions": [(word.value, sentence(text)) for word, text in call_wording.DISPOSITIONS.items()],
        "spans": list(ranges.SPANS.items()),
    }


def _live(asked: Asked, grid: grids.Grid[CallView]) -> Mapping[str, Live | None]:
    """Nothing where new calls would not stand at the top of what is shown."""
    is_latest = grid.sort == "-started_at" and grid.first == 1 and grid.form.is_right
    if not is_latest or grid.form["started_to"] or grid.form["started"] == "yesterday":
        return {"live": None}
    return {"live": Live(grid.as_query, _last_id(asked), _open(grid.page.items, asked))}


def _last_id(asked: Asked) -> int:
    return asked.session.scalar(select(func.max(Call.id))) or 0


def _open(shown: list[CallView], asked: Asked) -> str:
    standing = {view.id: call_wording.standing(view, asked.now) for view in shown}
    are_on = [f"{call_id}:{word}" for call_id, word in standing.items() if word in {"ringing", "in-progress"}]
    return ",".join(are_on[:_MOST_OPEN])


def _opened(text: str) -> dict[int, str]:
    found = {int(call_id): word for call_id, word in _OPEN.findall(text[: 40 * _MOST_OPEN])}
    return dict(list(found.items())[:_MOST_OPEN])
