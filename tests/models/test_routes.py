"""Facts read for one call, for the outbox and for a rebuild are the same facts."""

import random
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy.orm import Session

from models.campaign import Campaign
from models.database import Database
from models.group import Group
from models.prompt import Prompt
from models.routes import (
    campaign_facts,
    count_campaigns,
    count_numbers,
    held_or_released,
    number_facts,
    route_of,
    stream_campaigns,
    stream_numbers,
)
from models.tracking_number import TrackingNumber
from routing.numbers import PhoneNumber
from routing.route import (
    CallerId,
    CampaignFacts,
    EndOfCampaign,
    NumberFacts,
    RecordedPrompt,
    Route,
    SpokenPrompt,
)
from tests.builders import (
    BUSINESS,
    NOW,
    TRACKING,
    a_campaign,
    a_group,
    a_number,
    a_phone,
    a_plan,
    a_recorded_prompt,
    a_text_prompt,
    a_user,
)


def test_a_route_has_all_facts_of_number_and_campaign(database: Database) -> None:
    with database.session() as session:
        prompt = a_text_prompt(session, language="es", voice="Polly.Lupe", text="Adiós")
        group = a_group(session, plan_id=a_plan(session).id)
        campaign = a_campaign(
            session,
            group_id=group.id,
            external_id="X-1",
            ends_at=NOW,
            end_of_campaign=EndOfCampaign.REFERRAL,
            business_name="Bäckerei",
            business_number=BUSINESS,
            prompt_id=prompt.id,
            enabled=False,
            archived_at=NOW,
        )
        number = a_number(
            session,
            TRACKING,
            campaign,
            destination=a_phone(1),
            whisper="Hello",
            ring_timeout=30,
            record_calls=True,
            caller_id=CallerId.TRACKING_NUMBER,
        )
    with database.reading() as session:
        assert route_of(session, TRACKING) == Route(
            NumberFacts(
                TRACKING,
                number.id,
                1,
                campaign.id,
                destination=a_phone(1),
                whisper="Hello",
                ring_timeout=30,
                record_calls=True,
                caller_id=CallerId.TRACKING_NUMBER,
            ),
            CampaignFacts(
                campaign.id,
                1,
                group.id,
                NOW - timedelta(days=1),
                ends_at=NOW,
                enabled=False,
                archived=True,
                end_of_campaign=EndOfCampaign.REFERRAL,
                referral_included=True,
                external_id="X-1",
                business_name="Bäckerei",
                business_number=BUSINESS,
                destination=BUSINESS,
                prompt=SpokenPrompt("es", "Polly.Lupe", "Adiós"),
            ),
        )


def test_a_recorded_prompt_is_named_by_its_digest(database: Database) -> None:
    with database.session() as session:
        prompt = a_recorded_prompt(session, language="fr")
        a_number(session, TRACKING, a_campaign(session, prompt_id=prompt.id))
    with database.reading() as session:
        route = route_of(session, TRACKING)
    assert route is not None
    assert route.campaign is not None
    assert route.campaign.prompt == RecordedPrompt(prompt.id, prompt.digest or "", "wav", "fr")


def test_an_unknown_number_has_no_route(database: Database) -> None:
    with database.reading() as session:
        assert route_of(session, TRACKING) is None
        assert number_facts(session, [1]) == {}
        assert campaign_facts(session, []) == {}
        assert (list(stream_numbers(session)), list(stream_campaigns(session))) == ([], [])


def test_a_number_without_campaign_carries_its_group(database: Database) -> None:
    with database.session() as session:
        number = a_number(session, TRACKING)
    with database.reading() as session:
        assert route_of(session, TRACKING) == Route(
            NumberFacts(TRACKING, number.id, 1, None, group_id=number.group_id)
        )


def test_the_holding_in_force_counts_else_the_last(database: Database) -> None:
    with database.session() as session:
        first = a_number(session, TRACKING)
        first.release(NOW)
        session.flush()
        second = a_number(session, TRACKING, a_campaign(session))
        assert route_id(session) == second.id
        # A late change of the old holding raises its revision above the one in force.
        for name in "abc":
            first.name = name
            session.flush()
        assert route_id(session) == second.id
        assert set(number_facts(session, [first.id, second.id])) == {second.id}
        second.release(NOW)
        session.flush()
        assert route_id(session) == second.id
        assert [facts.number_id for facts in stream_numbers(session)] == [second.id]
        assert next(stream_numbers(session)).released


def route_id(session: Session) -> int | None:
    route = route_of(session, TRACKING)
    return None if route is None else route.number.number_id


@pytest.mark.parametrize("depth", [0, 1, 5, 40])
def test_a_group_has_the_plan_of_the_nearest_group_above(database: Database, depth: int) -> None:
    with database.session() as session:
        poor, rich = a_plan(session, includes_referral=False), a_plan(session, includes_referral=True)
        top = a_group(session, plan_id=poor.id)
        way = [a_group(session, parent_id=top.id, plan_id=rich.id)]
        for _ in range(depth):
            way.append(a_group(session, parent_id=way[-1].id))
        a_number(session, TRACKING, a_campaign(session, group_id=way[-1].id))
        assert referral_included(session)
        way[0].plan_id = None
        session.flush()
        assert not referral_included(session)
        top.plan_id = None
        session.flush()
        assert not referral_included(session)


def referral_included(session: Session) -> bool:
    route = route_of(session, TRACKING)
    assert route is not None
    assert route.campaign is not None
    return route.campaign.referral_included


@pytest.mark.parametrize("seed", range(4))
def test_every_way_to_read_facts_gives_the_same(database: Database, seed: int) -> None:
    with database.session() as session:
        numbers = a_world(session, random.Random(seed))  # noqa: S311
    with database.reading() as session:
        streamed = {facts.number: facts for facts in stream_numbers(session)}
        campaigns = {facts.campaign_id: facts for facts in stream_campaigns(session)}
        assert streamed.keys() == numbers
        assert (len(streamed), len(campaigns)) == (count_numbers(session), count_campaigns(session))
        assert campaign_facts(session, campaigns) == campaigns
        by_id = number_facts(session, range(1, 200))
        assert by_id == {facts.number_id: facts for facts in streamed.values()}
        for number, facts in streamed.items():
            campaign = None if facts.campaign_id is None else campaigns[facts.campaign_id]
            assert route_of(session, number) == Route(facts, campaign)
        assert held_or_released(session, [*(n.e164 for n in numbers), BUSINESS.e164]) == {
            n.e164 for n in numbers
        }


def a_world(session: Session, chance: random.Random) -> set[PhoneNumber]:
    """A forest of groups with plans here and there, all kinds of campaigns, numbers held up to thrice."""
    plans = [a_plan(session, includes_referral=included).id for included in (True, False)]
    groups: list[Group] = []
    for _ in range(12):
        parent = chance.choice(groups).id if groups and chance.random() < 0.8 else None
        plan = chance.choice([None, None, *plans])
        groups.append(a_group(session, parent_id=parent, plan_id=plan))
    owner = a_user(session).id
    prompts: list[Prompt | None] = [None, a_text_prompt(session), a_recorded_prompt(session)]
    campaigns = [a_campaign(session, owner_id=owner, **said) for said in _some(chance, groups, prompts)]
    numbers = {a_phone() for _ in range(40)}
    for number in sorted(numbers):
        for again in range(chance.randint(1, 3)):
            held = a_number(
                session,
                number,
                group_id=chance.choice(groups).id,
                destination=chance.choice([None, a_phone()]),
                whisper=chance.choice([None, "From the leaflet"]),
            )
            held.campaign_id = chance.choice([None, *(campaign.id for campaign in campaigns)])
            session.flush()
            if again < 2 or chance.random() < 0.3:
                held.release(NOW)
                session.flush()
    return numbers


def _some(
    chance: random.Random, groups: list[Group], prompts: list[Prompt | None]
) -> Iterator[dict[str, object]]:
    for _ in range(15):
        prompt = chance.choice(prompts)
        yield {
            "group_id": chance.choice(groups).id,
            "prompt_id": None if prompt is None else prompt.id,
            "ends_at": chance.choice([None, NOW + timedelta(days=chance.randint(0, 90))]),
            "enabled": chance.random() < 0.8,
            "archived_at": chance.choice([None, None, NOW]),
            "end_of_campaign": chance.choice(list(EndOfCampaign)),
            "business_number": chance.choice([None, BUSINESS]),
            "external_id": chance.choice([None, "X"]),
        }


def test_revisions_of_a_number_only_rise(database: Database) -> None:
    seen: list[int] = []
    with database.session() as session:
        for _ in range(4):
            held = a_number(session, TRACKING)
            seen.append(held.revision)
            held.name = "renamed"
            session.flush()
            seen.append(held.revision)
            held.release(NOW)
            session.flush()
            seen.append(held.revision)
    assert all(earlier < later for earlier, later in pairwise(seen))


def test_streaming_goes_on_while_rows_are_written(database: Database) -> None:
    with database.session() as session:
        campaign = a_campaign(session)
        numbers = [a_number(session, campaign=campaign) for _ in range(5)]
    with database.reading() as reading:
        stream = stream_numbers(reading)
        first = next(stream)
        with database.session() as session:
            session.get_one(TrackingNumber, numbers[-1].id).whisper = "changed"
            session.get_one(Campaign, campaign.id).enabled = False
        assert [first.whisper, *(facts.whisper for facts in stream)] == [None] * 5
