"""Lists as grids: the address holds the filters, which a user can save for every visit and reset."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar, get_args, get_origin
from urllib.parse import parse_qsl, urlencode

from flask import Response, flash, redirect, request
from pydantic.fields import FieldInfo
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from admin import saved_filters
from admin.access.actor import Actor
from admin.errors import FieldError, Invalid
from admin.lists.listing import LARGEST_PAGE, Filters
from admin.ui import ranges, scope
from admin.ui.forms import Form
from admin.ui.frame import Asked, Frame, go_to
from admin.ui.times import NotATime
from admin.views import Page

V = TypeVar("V")
Query = list[tuple[str, str]]

PAGE_SIZE = 50
MOST_COUNTED = 100_000
"""Rows; to count a million of them takes longer than to show some."""
_MOST_FIELDS = 100
_FIRST = "first"
"""In the address of a later page: the place of its first row in the list."""
_PLACE = frozenset({"cursor", _FIRST})


@dataclass(frozen=True, slots=True)
class Grid(Generic[V]):
    """One page of a list, and the addresses of what belongs to it."""

    path: str
    page: Page[V]
    query: Query
    """The filters in the address and the sort, without the group and the place in the list."""
    form: Form
    """The filters as they were typed, with what is wrong with them."""
    sort: str
    first: int
    is_saved: bool
    """Whether these filters are the ones that the user has saved."""
    has_saved: bool

    @property
    def last(self) -> int:
        return self.first + len(self.page.items) - 1

    @property
    def total(self) -> str:
        """How many rows there are, as far as they were counted."""
        total = self.page.total or 0
        return f"more than {MOST_COUNTED:,}" if total > MOST_COUNTED else f"{total:,}"

    @property
    def is_filtered(self) -> bool:
        return any(name != "sort" for name, _ in self.query)

    @property
    def count(self) -> int:
        """How many filters are set, beside the search."""
        return len({name for name, _ in self.query} - {"sort", "q"})

    @property
    def address(self) -> str:
        return self._address(self.query)

    @property
    def as_query(self) -> str:
        return encoded(self.query)

    @property
    def next(self) -> str | None:
        if self.page.next_cursor is None:
            return None
        place = [("cursor", self.page.next_cursor), (_FIRST, str(self.last + 1))]
        return self._address(self.query + place)

    @property
    def start_over(self) -> str:
        return self._address(self.query)

    def sorted_by(self, name: str) -> str:
        """The other way round for the column that the list is sorted by already."""
        wanted = f"-{name}" if self.sort == name else name
        return self._address([pair for pair in self.query if pair[0] != "sort"] + [("sort", wanted)])

    def has(self, name: str, value: str) -> bool:
        return (name, value) in self.query

    def download(self, form: str) -> str:
        return f"{self.path}/download.{form}?{self.as_query}"

    def _address(self, query: Query) -> str:
        return f"{self.path}?{urlencode(query)}"


@dataclass(frozen=True, slots=True)
class Listed(Generic[V]):
    """A list that is shown as a grid, with filters that can be saved.

    `days` names the ranges of instants as `ranges` reads them: `starts` stands for the list's
    `starts_from` and `starts_before`, spelled `starts_from` and `starts_to`, or `starts`, in the address.
    """

    name: saved_filters.FilteredPage
    path: str
    filters: type[Filters]
    load: Callable[[Session, Actor, object, datetime], Page[V]]
    days: tuple[str, ...] = ()
    is_scoped: bool = False
    """Whether the group in the breadcrumb scopes it."""

    def saved_address(self, asked: Asked) -> str | None:
        """Where to go on to when the address asks for nothing in particular and filters were saved."""
        if self.query():
            return None
        kept = saved_filters.saved_for(asked.session, asked.actor, self.name)
        return f"{self.path}?{kept}" if kept else None

    def grid(self, asked: Asked, **always: object) -> Grid[V]:
        """The page of the list that the address asks for; `always` are filters that are no choice."""
        query = self.query()
        sort = dict(query).get("sort") or str(self.filters.model_fields["sort"].default)
        if not dict(query).get("sort"):
            query.append(("sort", sort))
        form = Form(dict(query))
        raw = self.raw(asked, query, form) | always
        place = {
            "limit": PAGE_SIZE,
            "count": True,
            "count_to": MOST_COUNTED + 1,
            "cursor": request.args.get("cursor") or None,
        }
        kept = saved_filters.saved_for(asked.session, asked.actor, self.name)
        page: Page[V] = Page(items=[])
        try:
            if form.is_right:
                page = self.load(asked.session, asked.actor, raw | place, asked.now)
        except Invalid as refusal:
            form.refuse(refusal, ())
        first = request.args.get(_FIRST, 1, type=int) if place["cursor"] else 1
        return Grid(
            self.path, page, query, form, sort, max(1, first), kept == urlencode(query), kept is not None
        )

    def raw(self, asked: Asked, query: Query, form: Form) -> dict[str, object]:
        """The filters as the list reads them; days that are none are noted in `form`."""
        raw: dict[str, Any] = {}
        many = {name for name, field in self.filters.model_fields.items() if _takes_many(field)}
        for name, value in query:
            what, _, end = name.rpartition("_")
            if name in self.days or (what in self.days and end in {"from", "to"}):
                try:
                    found = (
                        ranges.span(name, value, asked.now, asked.zone)
                        if name in self.days
                        else ranges.end(what, end, value, asked.zone)
                    )
                except NotATime as error:
                    form.add("", f"“{value}”: {error}.")
                else:
                    raw |= ranges.narrowed(raw, found)
            elif name in many:
                raw.setdefault(name, []).append(value)
            else:
                raw[name] = value
        if self.is_scoped:
            chosen = scope.chosen(asked.session, asked.actor)
            if chosen != asked.actor.group_id or "subgroups" in raw:
                raw[scope.FIELD] = chosen
        return raw

    def all_rows(self, frame: Frame, asked: Asked) -> Iterator[Sequence[V]]:
        """Every row that the address asks for, some at a time, each time in a transaction of its own."""
        form = Form()
        raw = self.raw(asked, self.query(), form)
        if not form.is_right:
            raise Invalid(FieldError("", form.others[0]))
        return self._following(frame, asked, raw)

    def _following(self, frame: Frame, asked: Asked, raw: dict[str, object]) -> Iterator[Sequence[V]]:
        cursor: str | None = None
        while True:
            with frame.reading_on(asked) as now:
                wanted = raw | {"limit": LARGEST_PAGE, "cursor": cursor}
                page = self.load(now.session, now.actor, wanted, now.now)
            yield page.items
            cursor = page.next_cursor
            if cursor is None:
                return

    def query(self) -> Query:
        """What the address asks for."""
        return self._query(request.args)

    def save(self, frame: Frame) -> Response:
        """Keep the filters of the form field `query` for every visit."""
        query = self._query(MultiDict(_pairs(request.form.get("query", ""))))
        with frame.writing() as asked:
            raw = {"page": self.name, "query": urlencode(query)}
            saved_filters.save(asked.session, asked.actor, raw, asked.now)
        flash("Filters saved. This page opens with them from now on.")
        return go_to(f"{self.path}?{urlencode(query)}")

    def reset(self, frame: Frame) -> Response:
        """Forget the saved filters and show the whole list."""
        with frame.writing() as asked:
            saved_filters.reset(asked.session, asked.actor, self.name)
        flash("Filters removed. This page shows everything again.")
        return go_to(self.path)

    def _query(self, sent: MultiDict[str, str]) -> Query:
        """What was sent of the list's own filters, in one order, without what is empty."""
        spans = {*self.days, *(f"{what}_{end}" for what in self.days for end in ("from", "to"))}
        befores = {f"{what}_before" for what in self.days}
        known = [
            name
            for name in self.filters.model_fields
            if name not in befores | {"limit", "count", "count_to", "cursor"}
        ]
        known += [name for name in sorted(spans) if name not in known]
        if self.is_scoped:
            known.remove(scope.FIELD)
        return [(name, value.strip()) for name in known for value in sent.getlist(name) if value.strip()]


def encoded(query: Query) -> str:
    return urlencode(query)


def shown(
    frame: Frame,
    listed: Listed[V],
    template: str,
    part: str,
    more: Callable[[Asked], Mapping[str, Any]],
    *,
    of_grid: Callable[[Asked, Grid[V]], Mapping[str, Any]] = lambda _asked, _grid: {},
) -> Response:
    """The view of a grid: its saved filters where none are asked for; for htmx the grid alone.

    `more` is what the filters need beside the grid, `of_grid` what follows from the rows that are shown.
    """
    with frame.reading() as asked:
        if listed.is_scoped:
            scope.chosen(asked.session, asked.actor)  # keeps the group that the address names
        kept = listed.saved_address(asked)
        if kept is not None:
            return redirect(kept, 302)  # type: ignore[return-value]  # Flask's own response class
        grid = listed.grid(asked)
        said = {"grid": grid, **more(asked), **of_grid(asked, grid)}
        if request.headers.get("HX-Target") == "grid":
            answer = frame.fragment(asked, part, **said)
            if "cursor" not in request.args:
                answer.headers["HX-Push-Url"] = grid.address
            return answer
        return frame.page(asked, template, **said)


def _takes_many(field: FieldInfo) -> bool:
    return any(get_origin(kind) is list for kind in (field.annotation, *get_args(field.annotation)))


def _pairs(query: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query, max_num_fields=_MOST_FIELDS)
    except ValueError:
        return []
