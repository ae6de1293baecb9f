"""The decision table, row by row, at every boundary, and as properties over all facts and instants."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.arrival import Arrival, Source
from routing.decision import Apologise, Connect, Decision, Reason, Refer, Reject, name_of
from routing.destinations import unfit_because
from routing.numbers import PhoneNumber
from routing.policy import State, block_in_force, decide, state_of
from routing.route import CallerId, CampaignFacts, EndOfCampaign, RecordedPrompt, Route, SpokenPrompt
from tests.routing import strategies
from tests.routing.facts import BUSINESS, NOW, TICK, TRACKING, a_call, a_campaign, a_number, a_route

REFERS: dict[str, Any] = {"end_of_campaign": EndOfCampaign.REFERRAL, "referral_included": True}
WINDOW = timedelta(hours=30 * 24)
BEGINNING = datetime.min.replace(tzinfo=UTC)
END_OF_TIME = datetime.max.replace(tzinfo=UTC)
PHASES = [State.SCHEDULED, State.LIVE, State.REFERRAL, State.ENDED]


def reason_at(campaign: CampaignFacts, at: datetime) -> Reason:
    return decide(Route(a_number(campaign_id=campaign.campaign_id), campaign), at).reason


def test_an_unknown_number_is_rejected() -> None:
    assert decide(None, NOW) == Reject(Reason.UNKNOWN_NUMBER)


def test_a_number_without_a_campaign_is_rejected_as_unassigned() -> None:
    assert decide(Route(a_number(campaign_id=None)), NOW) == Reject(Reason.UNASSIGNED)


@pytest.mark.parametrize("campaign", [None, a_campaign(), a_campaign(enabled=False)])
def test_a_released_number_is_rejected_whatever_its_campaign_says(campaign: CampaignFacts | None) -> None:
    number = a_number(campaign_id=None if campaign is None else campaign.campaign_id, released=True)
    assert decide(Route(number, campaign), NOW) == Reject(Reason.RELEASED)


@pytest.mark.parametrize("starts_in", [-10, 10])
@pytest.mark.parametrize("ends_in", [None, -5, 20])
def test_a_paused_campaign_is_rejected_before_its_dates_are_read(starts_in: int, ends_in: int | None) -> None:
    campaign = a_campaign(
        enabled=False,
        starts_at=NOW + timedelta(days=starts_in),
        ends_at=None if ends_in is None else NOW + timedelta(days=ends_in),
        **REFERS,
    )
    assert reason_at(campaign, NOW) is Reason.PAUSED


@pytest.mark.parametrize("enabled", [True, False])
def test_an_archived_campaign_is_rejected_as_archived_even_when_it_was_paused_before(enabled: bool) -> None:  # noqa: FBT001
    assert reason_at(a_campaign(archived=True, enabled=enabled, **REFERS), NOW) is Reason.ARCHIVED


def test_a_start_after_the_end_is_scheduled_until_the_start() -> None:
    campaign = a_campaign(starts_at=NOW, ends_at=NOW - timedelta(days=1), **REFERS)
    assert reason_at(campaign, NOW - TICK) is Reason.SCHEDULED
    assert reason_at(campaign, NOW) is Reason.REFERRAL


def test_a_campaign_goes_live_at_its_start() -> None:
    campaign = a_campaign(starts_at=NOW)
    found = [reason_at(campaign, at) for at in (NOW - TICK, NOW, NOW + TICK)]
    assert found == [Reason.SCHEDULED, Reason.LIVE, Reason.LIVE]


def test_a_campaign_that_starts_when_it_ends_is_never_live() -> None:
    campaign = a_campaign(starts_at=NOW, ends_at=NOW)
    found = [reason_at(campaign, at) for at in (NOW - TICK, NOW, NOW + TICK)]
    assert found == [Reason.SCHEDULED, Reason.ENDED, Reason.ENDED]


def test_a_campaign_refers_from_the_instant_of_its_end() -> None:
    campaign = a_campaign(ends_at=NOW, **REFERS)
    found = [reason_at(campaign, at) for at in (NOW - TICK, NOW, NOW + TICK)]
    assert found == [Reason.LIVE, Reason.REFERRAL, Reason.REFERRAL]


def test_a_campaign_refers_for_thirty_days_the_end_excluded() -> None:
    campaign = a_campaign(ends_at=NOW, **REFERS)
    found = [reason_at(campaign, at) for at in (NOW + WINDOW - TICK, NOW + WINDOW, NOW + WINDOW + TICK)]
    assert found == [Reason.REFERRAL, Reason.ENDED, Reason.ENDED]


@pytest.mark.parametrize(
    "wishes",
    [
        {"end_of_campaign": EndOfCampaign.NORMAL, "referral_included": True},
        {"end_of_campaign": EndOfCampaign.REFERRAL, "referral_included": False},
        {"end_of_campaign": EndOfCampaign.NORMAL, "referral_included": False},
    ],
)
def test_without_wish_or_plan_a_campaign_just_ends(wishes: dict[str, Any]) -> None:
    campaign = a_campaign(ends_at=NOW, **wishes)
    found = [reason_at(campaign, at) for at in (NOW - TICK, NOW, NOW + TICK)]
    assert found == [Reason.LIVE, Reason.ENDED, Reason.ENDED]


# Ends at local midnight (or in the doubled hour) shortly before a clock change of its zone.
@pytest.mark.parametrize(
    ("zone", "local_end"),
    [
        ("America/New_York", datetime(2026, 3, 1)),  # noqa: DTZ001 - the zone is put on below
        ("America/New_York", datetime(2026, 11, 1, 1, 30)),  # noqa: DTZ001
        ("Europe/Berlin", datetime(2026, 3, 29)),  # noqa: DTZ001
        ("Europe/Berlin", datetime(2026, 10, 20)),  # noqa: DTZ001
        ("Australia/Lord_Howe", datetime(2026, 4, 1)),  # noqa: DTZ001
        ("America/Sao_Paulo", datetime(2018, 11, 3)),  # noqa: DTZ001
        ("Pacific/Apia", datetime(2011, 12, 29, 23, 59)),  # noqa: DTZ001
    ],
)
def test_clock_changes_neither_stretch_nor_shorten_the_window(zone: str, local_end: datetime) -> None:
    local = local_end.replace(tzinfo=ZoneInfo(zone))
    ends_at = local.astimezone(UTC)
    campaign = a_campaign(starts_at=ends_at - timedelta(days=90), ends_at=ends_at, **REFERS)
    closes = ends_at + WINDOW
    assert (closes.astimezone(ZoneInfo(zone)).utcoffset()) != local.utcoffset(), "the example has no change"
    asked = [ends_at - TICK, ends_at, closes - TICK, closes, closes + TICK]
    expected = [Reason.LIVE, Reason.REFERRAL, Reason.REFERRAL, Reason.ENDED, Reason.ENDED]
    assert [reason_at(campaign, at) for at in asked] == expected
    # The caller's clock may be written in any zone: it is the same instant.
    assert [reason_at(campaign, at.astimezone(ZoneInfo(zone))) for at in asked] == expected


@pytest.mark.parametrize(
    ("ends_at", "closes"),
    [
        (datetime(2028, 2, 15, tzinfo=UTC), datetime(2028, 3, 16, tzinfo=UTC)),
        (datetime(2027, 2, 15, tzinfo=UTC), datetime(2027, 3, 17, tzinfo=UTC)),
        (datetime(2028, 2, 29, 23, 59, tzinfo=UTC), datetime(2028, 3, 30, 23, 59, tzinfo=UTC)),
        (datetime(2100, 2, 28, tzinfo=UTC), datetime(2100, 3, 30, tzinfo=UTC)),
        (datetime(2026, 12, 15, tzinfo=UTC), datetime(2027, 1, 14, tzinfo=UTC)),
    ],
)
def test_leap_days_count_as_days(ends_at: datetime, closes: datetime) -> None:
    campaign = a_campaign(starts_at=BEGINNING, ends_at=ends_at, **REFERS)
    found = [reason_at(campaign, at) for at in (closes - TICK, closes, closes + TICK)]
    assert found == [Reason.REFERRAL, Reason.ENDED, Reason.ENDED]


@pytest.mark.parametrize("starts_at", [BEGINNING, END_OF_TIME])
@pytest.mark.parametrize("ends_at", [None, BEGINNING, BEGINNING + TICK, END_OF_TIME - TICK, END_OF_TIME])
@pytest.mark.parametrize("at", [BEGINNING, BEGINNING + TICK, NOW, END_OF_TIME - TICK, END_OF_TIME])
def test_the_ends_of_the_calendar_overflow_nothing(
    starts_at: datetime, ends_at: datetime | None, at: datetime
) -> None:
    campaign = a_campaign(starts_at=starts_at, ends_at=ends_at, **REFERS)
    assert reason_at(campaign, at) is _by_the_table(Route(a_number(), campaign), at)


def test_an_end_in_the_year_9999_still_refers() -> None:
    campaign = a_campaign(ends_at=END_OF_TIME - TICK, **REFERS)
    assert reason_at(campaign, END_OF_TIME) is Reason.REFERRAL


def test_the_number_s_own_destination_comes_before_the_campaign_s() -> None:
    own = PhoneNumber("+12125550188")
    decision = decide(Route(a_number(destination=own), a_campaign()), NOW)
    assert isinstance(decision, Connect)
    assert decision.destination == own


def test_a_connection_carries_what_number_and_campaign_say() -> None:
    number = a_number(
        whisper="A call for you", ring_timeout=25, record_calls=True, caller_id=CallerId.TRACKING_NUMBER
    )
    assert decide(Route(number, a_campaign(prompt=SpokenPrompt("fr"))), NOW) == Connect(
        destination=BUSINESS,
        tracking_number=TRACKING,
        caller_id=CallerId.TRACKING_NUMBER,
        ring_timeout=25,
        record=True,
        whispering_number_id=number.number_id,
        language="fr",
    )
    assert decide(a_route(), NOW) == Connect(BUSINESS, TRACKING)


@pytest.mark.parametrize("whisper", [None, ""])
def test_an_empty_whisper_is_none(whisper: str | None) -> None:
    decision = decide(Route(a_number(whisper=whisper), a_campaign()), NOW)
    assert isinstance(decision, Connect)
    assert decision.whispering_number_id is None


@pytest.mark.parametrize(
    ("of_number", "of_campaign"), [(None, None), (None, TRACKING), (TRACKING, None), (TRACKING, BUSINESS)]
)
def test_a_live_campaign_without_a_number_to_ring_apologises_and_never_dials(
    of_number: PhoneNumber | None, of_campaign: PhoneNumber | None
) -> None:
    campaign = a_campaign(destination=of_campaign, prompt=SpokenPrompt("de"))
    decision = decide(Route(a_number(destination=of_number), campaign), NOW)
    assert decision == Apologise(Reason.NO_DESTINATION, "de")


@pytest.mark.parametrize("prompt", [None, SpokenPrompt("es", None, "Adiós"), RecordedPrompt(4, "ab" * 32)])
def test_a_referral_names_the_business_and_plays_its_prompt(
    prompt: SpokenPrompt | RecordedPrompt | None,
) -> None:
    route = a_route(ends_at=NOW, business_name="Dent", business_number=BUSINESS, prompt=prompt, **REFERS)
    assert decide(route, NOW) == Refer("Dent", BUSINESS, prompt or SpokenPrompt())


def test_a_number_cannot_be_paired_with_another_number_s_campaign() -> None:
    for number, campaign in (
        (a_number(campaign_id=8), a_campaign(7)),
        (a_number(campaign_id=None), a_campaign()),
    ):
        with pytest.raises(ValueError, match="is not on campaign"):
            Route(number, campaign)
    with pytest.raises(ValueError, match="is not on campaign"):
        Route(a_number(campaign_id=7), None)


def test_facts_that_could_not_be_read_are_never_a_rejection() -> None:
    assert Arrival(a_call(), None, Source.NONE).decision == Apologise(Reason.UNAVAILABLE)


@pytest.mark.parametrize("source", [Source.INDEX, Source.DATABASE, Source.REQUEST])
def test_an_arrival_is_decided_at_the_instant_it_was_received(source: Source) -> None:
    route = a_route(ends_at=NOW)
    assert isinstance(Arrival(a_call(received_at=NOW - TICK), route, source).decision, Connect)
    assert Arrival(a_call(received_at=NOW), route, source).decision == Reject(Reason.ENDED)
    assert Arrival(a_call(), None, source).decision == Reject(Reason.UNKNOWN_NUMBER)


@given(st.none() | strategies.routes(), strategies.instants)
def test_every_route_gets_exactly_the_decision_of_the_table(route: Route | None, at: datetime) -> None:
    decision = decide(route, at)
    assert decision == decide(route, at)
    assert decision.reason is _by_the_table(route, at)
    assert _kind_of(decision) == name_of(decision)


@given(strategies.routes(), st.data())
def test_every_boundary_is_half_open_to_the_microsecond(route: Route, data: st.DataObject) -> None:
    if route.campaign is None or route.campaign.ends_at is None:
        return
    boundary = data.draw(st.sampled_from([route.campaign.starts_at, route.campaign.ends_at]))
    shift = data.draw(st.sampled_from([timedelta(), WINDOW]))
    for step in (-TICK, timedelta(), TICK):
        try:
            at = boundary + shift + step
        except OverflowError:
            continue
        assert decide(route, at).reason is _by_the_table(route, at)


@given(strategies.routes(), strategies.instants)
def test_live_means_connect_or_nothing_to_ring(route: Route, at: datetime) -> None:
    if route.campaign is None or route.number.released or block_in_force(route, at):
        return
    live = state_of(route.campaign, at) is State.LIVE
    assert live == (decide(route, at).reason in _LIVE)


@given(strategies.routes(), strategies.instants)
def test_no_call_is_dialled_back_to_the_number_it_came_in_on(route: Route, at: datetime) -> None:
    decision = decide(route, at)
    assert not isinstance(decision, Connect) or decision.destination != route.number.number


@given(strategies.campaigns, st.lists(strategies.instants, min_size=2, max_size=6))
def test_time_only_carries_a_campaign_forward(campaign: CampaignFacts, instants: list[datetime]) -> None:
    states = [state_of(campaign, at) for at in sorted(instants)]
    if set(states) <= {State.PAUSED, State.ARCHIVED}:
        assert len(set(states)) == 1, "no clock pauses or archives a campaign"
    else:
        assert states == sorted(states, key=PHASES.index)


@given(strategies.campaigns, st.integers(0, 10**14))
def test_time_only_carries_a_campaign_forward_around_its_end(campaign: CampaignFacts, step: int) -> None:
    if campaign.ends_at is None or campaign.archived or not campaign.enabled:
        return
    try:
        later = campaign.ends_at + timedelta(microseconds=step)
    except OverflowError:
        later = END_OF_TIME
    assert PHASES.index(state_of(campaign, campaign.ends_at)) <= PHASES.index(state_of(campaign, later))


def _by_the_table(route: Route | None, at: datetime) -> Reason:
    """The decision table once more, written over whole microseconds, which cannot overflow."""
    if route is None:
        return Reason.UNKNOWN_NUMBER
    if any(b.expires_at is None or _micros(at) < _micros(b.expires_at) for b in route.blocks):
        return Reason.BLOCKED_CALLER
    if route.number.released:
        return Reason.RELEASED
    campaign = route.campaign
    if campaign is None:
        return Reason.UNASSIGNED
    if campaign.archived:
        return Reason.ARCHIVED
    if not campaign.enabled:
        return Reason.PAUSED
    if _micros(at) < _micros(campaign.starts_at):
        return Reason.SCHEDULED
    if campaign.ends_at is None or _micros(at) < _micros(campaign.ends_at):
        destination = route.number.destination or campaign.destination
        if destination is None or destination == route.number.number:
            return Reason.NO_DESTINATION
        says = route.number if route.number.destination else campaign
        unfit = says.destination_is_ours or unfit_because(
            destination, route.number.number, campaign.countries
        )
        return Reason.LIVE if not unfit else Reason.UNFIT_DESTINATION
    window = 30 * 24 * 60 * 60 * 1_000_000
    refers = campaign.end_of_campaign == "referral" and campaign.referral_included
    return Reason.REFERRAL if refers and _micros(at) < _micros(campaign.ends_at) + window else Reason.ENDED


def _micros(at: datetime) -> int:
    return (at - BEGINNING) // TICK


_LIVE = {Reason.LIVE, Reason.NO_DESTINATION, Reason.UNFIT_DESTINATION}


def _kind_of(decision: Decision) -> str:
    kinds = {
        Reason.LIVE: "connect",
        Reason.REFERRAL: "referral",
        Reason.NO_DESTINATION: "apology",
        Reason.UNFIT_DESTINATION: "apology",
    }
    return kinds.get(decision.reason, "reject")
