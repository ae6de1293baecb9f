"""Reports: one page for each, all about the same question, which the address holds; saved filters, files."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from flask import Blueprint, Response, abort, flash, redirect, request
from werkzeug.datastructures import MultiDict

from admin import saved_filters
from admin.errors import Invalid
from admin.report_filters import DEFAULT, read
from admin.report_views import Report
from admin.ui import choosing, report_wording
from admin.ui.downloads import Column, columns, download
from admin.ui.forms import Form
from admin.ui.frame import Asked, Frame, go_to, local_path
from admin.ui.report_sheets import DAYS, SHEETS
from admin.ui.report_tables import ALWAYS, Place, Sheet, drawing, log_address, period_of, table
from models.group import Group

PERIODS = {
    "today": "Today",
    "yesterday": "Yesterday",
    "7d": "Last 7 days",
    "30d": "Last 30 days",
    "90d": "Last 90 days",
    "this-month": "This month",
    "last-month": "Last month",
    "own": "Own range",
}
_FILTERS = ("campaign_id", "number", "group_id", "subgroups")
_FIELDS = ("period", "first_day", "last_day", *_FILTERS)
_OWN = "own"
_MOST_FIELDS = 100
_AT_ONCE = 500
"""Rows of a file that are written at once."""
Query = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class AskedFor:
    """What the address asks for, and the addresses of what belongs to it."""

    sheet: Sheet[Any]
    query: Query
    is_saved: bool
    has_saved: bool

    @property
    def path(self) -> str:
        return path_of(self.sheet.name)

    @property
    def as_query(self) -> str:
        return urlencode(self.query)

    @property
    def here(self) -> str:
        return self.address(self.sheet.name)

    @property
    def is_filtered(self) -> bool:
        return self.query != [("period", DEFAULT)]

    def address(self, name: str) -> str:
        """The same question to another report."""
        return f"{path_of(name)}?{self.as_query}"

    def download(self, form: str) -> str:
        return f"/reports/{self.sheet.name}/download.{form}?{self.as_query}"


@dataclass(frozen=True, slots=True)
class Total:
    """A figure of the whole period."""

    label: str
    text: str
    href: str
    change: str
    share: str = ""


def reports(frame: Frame) -> Blueprint:
    views = Blueprint("reports", __name__)

    @views.get("/reports")
    def first() -> Response:
        return _shown(frame, DAYS)

    @views.get("/reports/<name>")
    def show(name: str) -> Response:
        return _shown(frame, _sheet(name))

    @views.get("/reports/<name>/download.<form>")
    def download_all(name: str, form: str) -> Response:
        sheet = _sheet(name)
        with frame.reading() as asked:
            question = read(asked.session, asked.actor, dict(query_of(request.args)), asked.now, whole=True)
            report = sheet.load(question)
        return download(frame, asked, f"{name}.{form}", _some_at_once(report.items), _columns(sheet, report))

    @views.post("/reports/filters")
    def save_filters() -> Response:
        query = query_of(MultiDict(_pairs(request.form.get("query", ""))))
        with frame.writing() as asked:
            raw = {"page": "reports", "query": urlencode(query)}
            saved_filters.save(asked.session, asked.actor, raw, asked.now)
        flash("Filters saved. The reports open with them from now on.")
        return go_to(local_path(request.form.get("back", "/reports")))

    @views.post("/reports/filters/reset")
    def reset_filters() -> Response:
        with frame.writing() as asked:
            saved_filters.reset(asked.session, asked.actor, "reports")
        flash("Filters removed. The reports show all calls of the last 30 days again.")
        return go_to(local_path(request.form.get("back", "/reports")))

    return views


def path_of(name: str) -> str:
    return "/reports" if name == DAYS.name else f"/reports/{name}"


def query_of(sent: MultiDict[str, str]) -> Query:
    """What was sent of the question, in one order: a period, or the days of an own range."""
    found = {name: sent.get(name, "").strip() for name in _FIELDS}
    is_own = found["period"] in {"", _OWN} and bool(found["first_day"] or found["last_day"])
    for name in ("period",) if is_own else ("first_day", "last_day"):
        del found[name]
    if not is_own:
        found["period"] = found["period"].replace(_OWN, "") or DEFAULT
    return [(name, value) for name, value in found.items() if value]


def _shown(frame: Frame, sheet: Sheet[Any]) -> Response:
    with frame.reading() as asked:
        kept = saved_filters.saved_for(asked.session, asked.actor, "reports")
        if kept is not None and not any(request.args.get(name) for name in _FIELDS):
            return redirect(f"{path_of(sheet.name)}?{kept}", 302)  # type: ignore[return-value]  # Flask's own response class
        query = query_of(request.args)
        asked_for = AskedFor(sheet, query, kept == urlencode(query), kept is not None)
        said: dict[str, Any] = {
            "sheet": sheet,
            "sheets": SHEETS.values(),
            "asked_for": asked_for,
        } | _answered(asked, asked_for)
        if request.headers.get("HX-Target") == "report":
            answer = frame.fragment(asked, "reports/part.html", **said)
            answer.headers["HX-Push-Url"] = asked_for.here
            return answer
        return frame.page(asked, "reports/page.html", **said, **_choices(asked))


def _answered(asked: Asked, asked_for: AskedFor) -> dict[str, Any]:
    """The report, or what is wrong with the question."""
    sheet, raw = asked_for.sheet, dict(asked_for.query)
    form = Form(raw | {"period": raw.get("period", _OWN)})
    try:
        report = sheet.load(read(asked.session, asked.actor, raw, asked.now))
    except Invalid as refusal:
        form.refuse(refusal, ())
        return {"form": form, "report": None}
    place: Place = {name: raw[name] for name in _FILTERS if name in raw}
    if report.number is not None:
        place["number"] = report.number.e164
    group = asked.session.get(Group, report.group_id) if report.group_id else None
    return {
        "form": _with_days(form, report),
        "report": report,
        "table": table(sheet, report, place),
        "drawing": drawing(sheet, report),
        "totals": _totals(sheet, report, place),
        "others": _others(report),
        "group_name": group.name if group else "",
    }


def _totals(sheet: Sheet[Any], report: Report[Any], place: Place) -> list[Total]:
    """What the columns of the table add up to over the whole period, if that is what the report is about."""
    found: list[Total] = []
    for column in sheet.summed:
        now, before = getattr(report.totals, column.name), getattr(report.totals_before, column.name)
        if not now and not before and column.name not in ALWAYS:
            continue
        href = log_address(period_of(report), place, column.place or {}) if now else ""
        is_answered = column.name == "answered" and now
        share = f"{report_wording.answered_share(report.totals)} of those put through" if is_answered else ""
        found.append(Total(column.label, f"{now:,}", href, report_wording.difference(now, before), share))
    return found


def _others(report: Report[Any]) -> str:
    """What the table leaves out."""
    left = report.rows - len(report.items)
    return f"{len(report.items):,} rows of {report.rows:,}; the file has all of them." if left > 0 else ""


def _with_days(form: Form, report: Report[Any]) -> Form:
    """The days of the period stand in their fields, whatever it was named by."""
    days = {
        "first_day": report.period.first_day.isoformat(),
        "last_day": report.period.last_day.isoformat(),
    }
    return Form({**days, **form.typed})


def _choices(asked: Asked) -> Mapping[str, Any]:
    return {
        "periods": list(PERIODS.items()),
        "campaigns": choosing.campaign_choices(asked, chosen=request.args.get("campaign_id", "")),
        "groups": choosing.group_choices(asked),
        "today": asked.now.astimezone(asked.zone).date().isoformat(),
    }


def _columns(sheet: Sheet[Any], report: Report[Any]) -> list[Column[Any]]:
    """What names a row, its figures, and its campaign: that of the row, or the one that was asked for."""
    figures = [*(column.name for column in sheet.counted), "calls_before", "change", "change_percent"]
    found: list[Column[Any]] = columns(*sheet.named_by)
    if "campaign_id" not in sheet.named_by:
        campaign = report.campaign
        found += [
            Column("campaign_id", lambda _row: campaign and campaign.id),
            Column("campaign_name", lambda _row: campaign and campaign.name),
            Column("campaign_external_id", lambda _row: campaign and campaign.external_id),
        ]
    return found + columns(*figures)


def _some_at_once(rows: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for begin in range(0, len(rows), _AT_ONCE):
        yield rows[begin : begin + _AT_ONCE]


def _sheet(name: str) -> Sheet[Any]:
    if name not in SHEETS:
        abort(404)
    return SHEETS[name]


def _pairs(query: str) -> Query:
    try:
        return parse_qsl(query, max_num_fields=_MOST_FIELDS)
    except ValueError:
        return []
