"""What the call log adds up to, on both kinds of database."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from models.database import Database
from models.reporting import reports
from models.reporting.period import Period
from models.reporting.scope import Scope
from models.reporting.tally import Callers, Tally
from models.reporting.vain import numbers_in_vain
from routing.disposition import Witness
from tests.builders import NOW, a_campaign, a_group, a_phone
from tests.models.reporting.log import logged

_UTC = ZoneInfo("UTC")
_DAY = Period(date(2026, 3, 4), date(2026, 3, 4), _UTC)
_ALL = Scope(None)
_TICK = timedelta(microseconds=1)
_HOUR = timedelta(hours=1)
_OWN_LEG, _ITS_LEG = Witness.CALL * 10 + 9, Witness.CALL * 10 + 10
"""The best that the caller's own leg tells, and more than it can."""


@pytest.mark.parametrize(
    ("said", "tally"),
    [
        ({}, Tally(calls=1, open=1)),
        ({"answered_at": NOW}, Tally(calls=1, answered=1)),
        ({"talk_seconds": 1}, Tally(calls=1, answered=1)),
        ({"talk_seconds": 0, "ended_at": NOW}, Tally(calls=1, missed=1)),
        ({"disposition": "no-answer"}, Tally(calls=1, missed=1)),
        ({"disposition": "completed", "disposition_rank": _OWN_LEG}, Tally(calls=1, missed=1)),
        ({"disposition": "completed", "disposition_rank": _ITS_LEG}, Tally(calls=1, answered=1)),
        ({"decision": "referral"}, Tally(calls=1, referral=1)),
        ({"decision": "reject"}, Tally(calls=1, rejected=1)),
        ({"decision": "apology"}, Tally(calls=1, apology=1)),
        ({"decision": None}, Tally(calls=1, apology=1)),
    ],
)
def test_a_call_counts_as_what_became_of_it(
    database: Database, said: dict[str, object], tally: Tally
) -> None:
    with database.session() as session:
        logged(session, **({"decision": "connect"} | said))  # type: ignore[arg-type]  # of a parameter
        assert reports.totals(session, _ALL, _DAY).tally == tally


@pytest.mark.parametrize(
    ("at", "calls"),
    [
        (_DAY.span.begin - _TICK, 0),
        (_DAY.span.begin, 1),
        (_DAY.span.end - _TICK, 1),
        (_DAY.span.end, 0),
    ],
)
def test_a_period_has_its_beginning_and_not_its_end(database: Database, at: datetime, calls: int) -> None:
    with database.session() as session:
        logged(session, started_at=at)
        assert reports.totals(session, _ALL, _DAY).tally.calls == calls
        assert sum(tally.calls for tally in reports.by_hour(session, _ALL, _DAY)) == calls


def test_days_and_hours_are_those_of_the_zone(database: Database) -> None:
    zone = ZoneInfo("Asia/Kathmandu")
    period = Period(date(2026, 3, 4), date(2026, 3, 5), zone)
    with database.session() as session:
        logged(session, started_at=datetime(2026, 3, 4, 18, 14, 59, tzinfo=UTC))
        logged(session, started_at=datetime(2026, 3, 4, 18, 15, tzinfo=UTC))
        days = reports.by_day(session, _ALL, period)
        assert {day: tally.calls for day, tally in days.items()} == {
            date(2026, 3, 4): 1,
            date(2026, 3, 5): 1,
        }
        hours = reports.by_hour(session, _ALL, period)
        assert (hours[23].calls, hours[0].calls) == (1, 1)


def test_only_the_calls_of_the_scope_are_counted(database: Database) -> None:
    with database.session() as session:
        campaign, number = a_campaign(session), a_phone()
        for group_id, campaign_id, dialled in (
            (campaign.group_id, campaign.id, number),
            (campaign.group_id, campaign.id, a_phone()),
            (campaign.group_id, None, a_phone()),
            (None, None, a_phone()),
        ):
            logged(
                session,
                "reject",
                reason="ended",
                group_id=group_id,
                campaign_id=campaign_id,
                tracking_number=dialled,
            )
        mine = frozenset({campaign.group_id})
        for scope, calls in (
            (Scope(None), 4),
            (Scope(mine), 3),
            (Scope(mine, campaign.id), 2),
            (Scope(mine, campaign.id, number), 1),
            (Scope(frozenset()), 0),
        ):
            assert reports.totals(session, scope, _DAY).tally.calls == calls
            assert sum(tally.calls for tally in reports.by_day(session, scope, _DAY).values()) == calls
            assert sum(tally.calls for tally in reports.by_hour(session, scope, _DAY)) == calls
            assert sum(row.tally.calls for row in reports.by_number(session, scope, _DAY).rows) == calls
            assert sum(vain.calls for vain in numbers_in_vain(session, scope, _DAY, 10)) == calls


def test_a_ranking_has_the_most_called_first_and_counts_the_others(database: Database) -> None:
    with database.session() as session:
        often, seldom = a_campaign(session, external_id="crm-1", name="Radio"), a_campaign(session)
        for campaign, country in ((seldom, "US"), (often, "US"), (often, "CA")):
            logged(
                session,
                campaign_id=campaign.id,
                group_id=campaign.group_id,
                tracking_number=a_phone(),
                caller_country=country,
            )
        first = reports.by_campaign(session, _ALL, _DAY, 1)
        assert [(row.campaign_id, row.external_id, row.name, row.tally.calls) for row in first.rows] == [
            (often.id, "crm-1", "Radio", 2)
        ]
        assert first.count == 2
        assert reports.by_number(session, _ALL, _DAY).count == 3
        assert [row.group_id for row in reports.by_group(session, _ALL, _DAY).rows] == [
            often.group_id,
            seldom.group_id,
        ]
        assert [(row.country, row.tally.calls) for row in reports.by_region(session, _ALL, _DAY).rows] == [
            ("US", 2),
            ("CA", 1),
        ]


def test_a_caller_is_new_to_a_group_once(database: Database) -> None:
    caller = a_phone()
    with database.session() as session:
        mine, theirs = a_group(session).id, a_group(session).id
        for group_id, at, who in (
            (mine, NOW - timedelta(days=1), caller),
            (mine, NOW, caller),
            (theirs, NOW, caller),
            (theirs, NOW, caller),
            (mine, NOW, None),
        ):
            logged(session, group_id=group_id, started_at=at, caller=who)
        assert reports.totals(session, _ALL, _DAY).callers == Callers(first_time=1, repeat=2, withheld=1)
        assert reports.totals(session, Scope(frozenset({mine})), _DAY).callers == Callers(
            repeat=1, withheld=1
        )


def test_numbers_dialled_in_vain_come_most_dialled_first(database: Database) -> None:
    seldom, often, caller = a_phone(), a_phone(), a_phone()
    with database.session() as session:
        logged(session, "reject", reason="released", tracking_number=seldom, caller=caller)
        for at, who in ((NOW, caller), (NOW + _HOUR, caller), (NOW, None)):
            logged(session, "reject", reason="ended", tracking_number=often, caller=who, started_at=at)
        logged(session, "reject", reason="paused", tracking_number=a_phone())
        logged(session, "referral", reason="referral", tracking_number=a_phone())
        found = numbers_in_vain(session, _ALL, _DAY, 10)
        assert [(vain.number, vain.reason, vain.calls, vain.callers) for vain in found] == [
            (often, "ended", 3, 1),
            (seldom, "released", 1, 1),
        ]
        assert found[0].last_at == NOW + _HOUR
        assert numbers_in_vain(session, _ALL, _DAY, 1) == found[:1]
