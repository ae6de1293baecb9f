"""Creating and revising campaigns: defaults, rules, and what each person may do."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from admin import campaigns
from admin.drafts import spelled
from admin.errors import Invalid, Stale
from models.audit import AuditEntry
from models.campaign import Campaign
from routing.route import EndOfCampaign
from tests.admin.office import Office, problems
from tests.builders import NOW, a_recorded_prompt, a_text_prompt

TICK = timedelta(microseconds=1)
REFERRAL = {"end_of_campaign": "referral", "business_number": "+14155550123"}


def test_a_name_is_all_that_a_campaign_needs(office: Office) -> None:
    with office.writing(office.olga) as session:
        made = campaigns.create(session, office.olga, {"name": " Leaflet "}, NOW)
    stored = office.stored_campaign(made.id)
    assert (stored.name, stored.owner_id, stored.group_id) == ("Leaflet", office.olga.user_id, office.north)
    assert (stored.starts_at, stored.ends_at, stored.enabled) == (NOW, None, True)
    assert (stored.end_of_campaign, stored.external_id) == (EndOfCampaign.NORMAL, None)


def test_all_errors_of_a_draft_are_told_at_once(on_sqlite: Office) -> None:
    draft = {
        "name": " ",
        "starts_at": "2026-03-04T12:00:00",
        "destination": "+19005550100",
        "group_id": on_sqlite.south,
        "end_of_campaign": "later",
        "prompt_id": 99,
        "colour": "red",
    }
    with pytest.raises(Invalid) as refusal, on_sqlite.writing(on_sqlite.ned) as session:
        campaigns.create(session, on_sqlite.ned, draft, NOW)
    assert problems(refusal).keys() == draft.keys()


@pytest.mark.parametrize("after_start", [-TICK, timedelta(0)])
def test_a_campaign_ends_after_its_start(office: Office, after_start: timedelta) -> None:
    draft = {"name": "Leaflet", "starts_at": spelled(NOW), "ends_at": spelled(NOW + after_start)}
    with pytest.raises(Invalid) as refusal, office.writing(office.ada) as session:
        campaigns.create(session, office.ada, draft, NOW)
    assert problems(refusal) == {"ends_at": "must be later than the start"}


def test_a_campaign_may_end_a_microsecond_after_its_start(office: Office) -> None:
    made = office.campaign(office.ada, starts_at=spelled(NOW), ends_at=spelled(NOW + TICK))
    assert office.stored_campaign(made).ends_at == NOW + TICK


def test_referral_is_refused_where_the_plan_does_not_include_it(office: Office) -> None:
    with pytest.raises(Invalid) as refusal, office.writing(office.sam) as session:
        campaigns.create(session, office.sam, {"name": "Leaflet"} | REFERRAL, NOW)
    assert "plan" in problems(refusal)["end_of_campaign"]


def test_referral_is_allowed_by_a_plan_that_is_inherited(office: Office) -> None:
    made = office.campaign(office.bert, **REFERRAL)
    assert office.stored_campaign(made).end_of_campaign is EndOfCampaign.REFERRAL


def test_a_campaign_that_refers_can_be_renamed_after_a_downgrade(office: Office) -> None:
    made = office.campaign(office.ada, group_id=office.north, **REFERRAL)
    with office.database.session() as session:
        session.get_one(Campaign, made).group_id = office.south
    with office.writing(office.ada) as session:
        draft = {"name": "Renamed", "end_of_campaign": "referral"}
        assert campaigns.revise(session, office.ada, made, draft, NOW).name == "Renamed"


def test_the_standard_referral_prompt_needs_the_business_number(office: Office) -> None:
    with pytest.raises(Invalid) as refusal, office.writing(office.ada) as session:
        campaigns.create(session, office.ada, {"name": "Leaflet", "end_of_campaign": "referral"}, NOW)
    assert problems(refusal).keys() == {"business_number"}


def test_a_prompt_in_the_standard_words_needs_the_business_number_too(office: Office) -> None:
    with office.database.session() as session:
        prompt_id = a_text_prompt(session, group_id=office.north, text=None).id
    draft = {"name": "Leaflet", "end_of_campaign": "referral", "prompt_id": prompt_id}
    with pytest.raises(Invalid) as refusal, office.writing(office.ned) as session:
        campaigns.create(session, office.ned, draft, NOW)
    assert problems(refusal).keys() == {"business_number"}


def test_words_of_its_own_speak_for_themselves(office: Office) -> None:
    with office.database.session() as session:
        prompt_id = a_text_prompt(session, group_id=office.north, text="Goodbye.").id
    made = office.campaign(office.ned, end_of_campaign="referral", prompt_id=prompt_id)
    assert office.stored_campaign(made).prompt_id == prompt_id


def test_a_recording_speaks_for_itself(office: Office) -> None:
    with office.database.session() as session:
        prompt_id = a_recorded_prompt(session, group_id=office.north).id
    made = office.campaign(office.ned, end_of_campaign="referral", prompt_id=prompt_id)
    assert office.stored_campaign(made).prompt_id == prompt_id


@pytest.mark.parametrize("group", ["root", "south"])
def test_what_lies_outside_the_subtree_cannot_be_named(office: Office, group: str) -> None:
    with office.database.session() as session:
        prompt_id = a_text_prompt(session, group_id=getattr(office, group)).id
    outsider = {"root": office.otis, "south": office.stan}[group]
    draft = {
        "name": "Leaflet",
        "group_id": getattr(office, group),
        "prompt_id": prompt_id,
        "owner_id": outsider.user_id,
    }
    with pytest.raises(Invalid) as refusal, office.writing(office.ned) as session:
        campaigns.create(session, office.ned, draft, NOW)
    told = problems(refusal)
    assert told["group_id"] == "there is no such group"
    assert told["prompt_id"] == "there is no such prompt"


def test_our_own_number_is_no_destination(office: Office) -> None:
    office.number(office.ada, "+14155550188", group_id=office.north)
    with pytest.raises(Invalid) as refusal, office.writing(office.ada) as session:
        campaigns.create(session, office.ada, {"name": "Leaflet", "destination": "+14155550188"}, NOW)
    assert "tracking number of ours" in problems(refusal)["destination"]


def test_a_revision_that_was_read_before_another_change_is_stale(office: Office) -> None:
    made = office.campaign(office.ada)
    with office.writing(office.ada) as session:
        campaigns.revise(session, office.ada, made, {"name": "First", "revision": 1}, NOW)
    with pytest.raises(Stale) as refusal, office.writing(office.ada) as session:
        campaigns.revise(session, office.ada, made, {"name": "Second", "revision": 1}, NOW)
    assert refusal.value.revision == 2
    assert office.stored_campaign(made).name == "First"


def test_of_two_changes_at_once_the_later_is_stale(postgres_office: Office) -> None:
    office = postgres_office
    made = office.campaign(office.ada)
    with office.writing(office.ada) as slow:
        read = slow.get_one(Campaign, made)
        with office.writing(office.ada) as fast:
            campaigns.revise(fast, office.ada, made, {"name": "Fast"}, NOW)
        with pytest.raises(Stale) as refusal:
            campaigns.revise(slow, office.ada, read.id, {"name": "Slow"}, NOW)
    assert refusal.value.revision == 2
    assert office.stored_campaign(made).name == "Fast"


def test_only_what_was_sent_is_changed(office: Office) -> None:
    made = office.campaign(office.ada, external_id="crm-1", business_name="Bakery")
    with office.writing(office.ada) as session:
        campaigns.revise(session, office.ada, made, {"external_id": None}, NOW)
    stored = office.stored_campaign(made)
    assert (stored.external_id, stored.business_name, stored.name) == (None, "Bakery", "Leaflet")


def test_nothing_changed_is_no_new_revision(office: Office) -> None:
    made = office.campaign(office.ada)
    with office.writing(office.ada) as session:
        campaigns.revise(session, office.ada, made, {"name": "Leaflet"}, NOW)
    assert office.stored_campaign(made).revision == 1


@pytest.mark.parametrize("field", ["name", "group_id", "owner_id", "starts_at"])
def test_what_is_mandatory_cannot_be_taken_away(on_sqlite: Office, field: str) -> None:
    made = on_sqlite.campaign(on_sqlite.ada)
    with pytest.raises(Invalid) as refusal, on_sqlite.writing(on_sqlite.ada) as session:
        campaigns.revise(session, on_sqlite.ada, made, {field: None}, NOW)
    assert problems(refusal) == {field: "is mandatory"}


def test_an_end_in_the_past_is_allowed(office: Office) -> None:
    made = office.campaign(office.ada)
    past = NOW - timedelta(days=1)
    with office.writing(office.ada) as session:
        campaigns.revise(session, office.ada, made, {"ends_at": spelled(past)}, NOW)
    assert office.stored_campaign(made).ends_at == past


def test_a_campaign_takes_its_numbers_to_another_group(office: Office) -> None:
    made = office.campaign(office.ned)
    number = office.number(office.ned, "+14155550188", made)
    with office.writing(office.ned) as session:
        campaigns.revise(session, office.ned, made, {"group_id": office.branch}, NOW)
    assert office.stored_number(number).group_id == office.branch


def test_a_campaign_does_not_go_where_its_owner_cannot_see_it(office: Office) -> None:
    made = office.campaign(office.bert)
    with pytest.raises(Invalid) as refusal, office.writing(office.ada) as session:
        campaigns.revise(session, office.ada, made, {"group_id": office.south}, NOW)
    assert problems(refusal).keys() == {"owner_id"}
    with office.writing(office.ada) as session:
        draft = {"group_id": office.south, "owner_id": office.stan.user_id}
        assert campaigns.revise(session, office.ada, made, draft, NOW).owner_id == office.stan.user_id


def test_every_change_leaves_who_when_field_old_and_new(office: Office) -> None:
    made = office.campaign(office.olga)
    with office.writing(office.olga) as session:
        campaigns.revise(session, office.olga, made, {"name": "New", "destination": None}, NOW)
    with office.reading() as session:
        entries = session.scalars(select(AuditEntry).where(AuditEntry.entity == "campaign")).all()
    assert {(e.field, e.old, e.new, e.user_id) for e in entries} == {
        ("created", None, "Leaflet", office.olga.user_id),
        ("name", "Leaflet", "New", office.olga.user_id),
        ("destination", "+14155550123", None, office.olga.user_id),
    }
