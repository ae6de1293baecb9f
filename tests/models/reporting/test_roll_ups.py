"""Roll-ups say what the log says, whatever happened to it and however far they have come."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import astuple, dataclass, field
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models.call import Call
from models.database import Database
from models.reporting import reports
from models.reporting.changes import changed_days
from models.reporting.period import Period
from models.reporting.roller import bring_up_to_date, differences
from models.reporting.scope import Scope
from models.reporting.vain import numbers_in_vain
from routing.numbers import PhoneNumber
from tests.models.reporting.log import logged

_NOW = datetime(2026, 4, 20, 12, 0, tzinfo=UTC)
"""The property's calls are earlier; March 2026 is over and has its blocks."""
_FIRST = datetime(2026, 2, 27, tzinfo=UTC)
_ZONES = (
    "UTC",
    "Europe/Berlin",
    "America/New_York",
    "America/St_Johns",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
)
_CHANGES_OF_CLOCKS = (
    datetime(2026, 3, 8, 7, 0, tzinfo=UTC),
    datetime(2026, 3, 29, 1, 0, tzinfo=UTC),
    datetime(2026, 4, 4, 15, 0, tzinfo=UTC),
)
_CAMPAIGNS = {1: (11, 12), 2: (21,), None: (None,)}
_PHONES = [PhoneNumber(f"+1500555{n:04}") for n in range(4)]
_CALLERS = [*(PhoneNumber(f"+1303555{n:04}") for n in range(2)), None]

instants = st.one_of(
    st.sampled_from(_CHANGES_OF_CLOCKS).flatmap(
        lambda at: st.integers(-8, 8).map(lambda quarters: at + quarters * timedelta(minutes=15))
    ),
    st.integers(0, 50 * 96).map(lambda quarters: _FIRST + quarters * timedelta(minutes=15)),
    st.integers(0, 50 * 86_400_000).map(lambda ms: _FIRST + timedelta(milliseconds=ms)),
)


@st.composite
def calls(draw: st.DrawFn) -> dict[str, object]:
    group_id = draw(st.sampled_from([1, 1, 2, None]))
    decision, reason = draw(
        st.sampled_from(
            [
                ("connect", "live"),
                ("connect", "live"),
                ("referral", "referral"),
                ("reject", "ended"),
                ("reject", "released"),
                (None, None),
            ]
        )
    )
    return {
        "group_id": group_id,
        "campaign_id": draw(st.sampled_from(_CAMPAIGNS[group_id])),
        "tracking_number": draw(st.sampled_from(_PHONES)),
        "caller": draw(st.sampled_from(_CALLERS)),
        "caller_country": draw(st.sampled_from(["US", "CA", None])),
        "caller_state": draw(st.sampled_from(["CA", None])),
        "decision": decision,
        "reason": reason,
        "disposition": draw(st.sampled_from([None, "completed", "no-answer"])),
        "started_at": draw(instants),
    }


logs = st.lists(calls(), min_size=2, max_size=16).map(lambda some: ("log", some))
steps = st.one_of(
    logs,
    logs,
    st.tuples(st.just("answer"), st.integers(0, 99)),
    st.tuples(st.just("move"), st.integers(0, 99), instants),
    st.tuples(st.just("drop"), st.integers(0, 99)),
    st.just(("roll up",)),
)
stories = st.builds(
    lambda first, then: [first, ("roll up",), *then], logs, st.lists(steps, min_size=1, max_size=5)
)


@dataclass
class Expected:
    """The figures as Python adds them up, call by call."""

    rows: Sequence[Call]
    scope: Scope
    period: Period
    seen: list[Call] = field(init=False)
    first: set[int] = field(init=False)

    def __post_init__(self) -> None:
        span, scope = self.period.span, self.scope
        self.seen = [
            row
            for row in self.rows
            if span.begin <= row.started_at < span.end
            and (scope.group_ids is None or row.group_id in scope.group_ids)
            and scope.campaign_id in {None, row.campaign_id}
            and scope.number in {None, row.tracking_number}
        ]
        earliest: dict[object, Call] = {}
        for row in sorted(self.rows, key=lambda row: (row.started_at, row.id)):
            if row.caller is not None:
                earliest.setdefault((row.group_id, row.caller), row)
        self.first = {row.id for row in earliest.values()}

    def figures(self, rows: Sequence[Call]) -> tuple[int, ...]:
        kinds = Counter(self._outcome(row) for row in rows)
        first = sum(row.id in self.first for row in rows)
        withheld = sum(row.caller is None for row in rows)
        tally = [kinds[name] for name in ("answered", "missed", "open", "referral", "reject", "apology")]
        return (len(rows), *tally, first, len(rows) - first - withheld, withheld)

    def by(self, *names: str) -> dict[object, tuple[int, ...]]:
        groups: dict[object, list[Call]] = {}
        for row in self.seen:
            groups.setdefault(tuple(getattr(row, name) for name in names), []).append(row)
        return {key: self.figures(rows) for key, rows in groups.items()}

    def by_clock(self, unit: str) -> dict[object, int]:
        clock = (row.started_at.astimezone(self.period.zone) for row in self.seen)
        return dict(Counter(at.date() if unit == "day" else at.hour for at in clock))

    @staticmethod
    def _outcome(row: Call) -> str:
        if row.decision == "connect":
            return "answered" if row.answered_at else "missed" if row.disposition else "open"
        return row.decision or "apology"


def shown(rows: Sequence[object], *names: str) -> dict[object, tuple[int, ...]]:
    return {
        tuple(getattr(row, name) for name in names): (
            *astuple(row.tally),  # type: ignore[attr-defined]
            *(astuple(row.callers) if hasattr(row, "callers") else ()),
        )
        for row in rows
    }


def check(session: Session, rows: Sequence[Call], scope: Scope, period: Period) -> None:
    expected = Expected(rows, scope, period)
    total = reports.totals(session, scope, period)
    assert (*astuple(total.tally), *astuple(total.callers)) == expected.figures(expected.seen)
    days = reports.by_day(session, scope, period)
    assert list(days) == period.days
    assert {day: tally.calls for day, tally in days.items() if tally.calls} == expected.by_clock("day")
    hours = enumerate(reports.by_hour(session, scope, period))
    assert {hour: tally.calls for hour, tally in hours if tally.calls} == expected.by_clock("hour")
    campaigns = reports.by_campaign(session, scope, period)
    assert shown(campaigns.rows, "campaign_id") == expected.by("campaign_id")
    assert campaigns.count == len(campaigns.rows)
    assert shown(reports.by_number(session, scope, period).rows, "number", "campaign_id") == expected.by(
        "tracking_number", "campaign_id"
    )
    assert shown(reports.by_group(session, scope, period).rows, "group_id") == expected.by("group_id")
    places = expected.by("caller_country", "caller_state")
    assert shown(reports.by_region(session, scope, period).rows, "country", "state") == {
        place: figures[:-3] for place, figures in places.items()
    }
    vain = {
        (each.number, each.campaign_id, each.reason): (each.calls, each.callers, each.last_at)
        for each in numbers_in_vain(session, scope, period, None)
    }
    in_vain: dict[object, list[Call]] = {}
    for row in expected.seen:
        if row.reason in {"ended", "released"}:
            in_vain.setdefault((row.tracking_number, row.campaign_id, row.reason), []).append(row)
    assert vain == {
        key: (len(some), len({row.caller for row in some} - {None}), max(row.started_at for row in some))
        for key, some in in_vain.items()
    }


def play(database: Database, some: Sequence[tuple[object, ...]]) -> None:
    for step in some:
        if step[0] == "roll up":
            bring_up_to_date(database, _NOW)
            continue
        with database.session() as session:
            if step[0] == "log":
                for said in step[1]:  # type: ignore[attr-defined]
                    logged(session, **said)
                continue
            logged_calls = session.scalars(select(Call).order_by(Call.id)).all()
            if not logged_calls:
                continue
            call = logged_calls[step[1] % len(logged_calls)]  # type: ignore[operator]
            match step:
                case ("answer", _):
                    call.answered_at = call.started_at
                case ("move", _, datetime() as at):
                    call.started_at = at
                case _:
                    session.delete(call)


def a_period(first: int, length: int, zone: str) -> Period:
    day = _FIRST.date() + timedelta(days=first)
    return Period(day, day + timedelta(days=length - 1), ZoneInfo(zone))


@given(
    some=stories,
    period=st.builds(
        a_period, st.integers(-1, 48), st.sampled_from([1, 2, 10, 33, 60]), st.sampled_from(_ZONES)
    ),
    of=st.sampled_from(
        [
            Scope(None),
            Scope(frozenset({1})),
            Scope(frozenset({1, 2})),
            Scope(frozenset({1}), 11),
            Scope(None, None, _PHONES[0]),
            Scope(frozenset({2}), 21, _PHONES[1]),
        ]
    ),
)
@settings(max_examples=20, suppress_health_check=list(HealthCheck))
def test_reports_equal_the_log_whatever_was_rolled_up(
    operators_database: Database,
    some: Sequence[tuple[object, ...]],
    period: Period,
    of: Scope,
) -> None:
    database = operators_database
    with database.session() as session:
        session.execute(delete(Call))
    bring_up_to_date(database, _NOW)
    play(database, some)
    with database.reading() as session:
        rows = session.scalars(select(Call)).all()
        check(session, rows, of, period)
        check(session, rows, Scope(None), a_period(-1, 60, "UTC"))
    bring_up_to_date(database, _NOW)
    bring_up_to_date(database, _NOW)
    with database.reading() as session:
        assert changed_days(session) == set()
        check(session, rows, of, period)
    assert differences(database) == {}
