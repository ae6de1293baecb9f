"""What each filter of each list finds."""

from datetime import timedelta
from typing import Any

import pytest

from admin import campaigns as edits
from admin import groups as group_edits
from admin import number_releases
from admin.errors import Invalid
from admin.lists import audit, calls, campaigns, groups, numbers, prompts, users
from models.call import Call
from models.prompt import Prompt, PromptKind
from routing.numbers import PhoneNumber
from tests.admin.office import Office, problems
from tests.admin.pages import ids, walk
from tests.builders import NOW

FINDS = (
    "spring",
    "SPRING leaf",
    "leaf spr",
    "caf",
    "ärg",
    "ÄRGER",
    "crm 007",
    "007",
    "crm-007",
    "o'neill",
    "50% off",
    "a_b",
    "日本",
    "& | ! :*",
    "\\",
    "%",
)
FINDS_NOT = ("eaflet", "leaflets", "spring autumn")


def test_text_finds_the_beginnings_of_words(office: Office) -> None:
    name = "Spring-Café Leaflet Ärger O'Neill 50%off a_b 日本語 🎉"
    made = office.campaign(office.ada, name=name, external_id="crm-007")
    asked = FINDS + FINDS_NOT
    found = {written: ids(office, campaigns.page, office.ada, q=written) == [made] for written in asked}
    assert found == dict.fromkeys(FINDS, True) | dict.fromkeys(FINDS_NOT, False)


def test_text_finds_names_of_every_kind(office: Office) -> None:
    number = office.number(office.ada, "+14155550188", name="Red van")
    with office.database.session() as session:
        prompt = Prompt(name="Red alert", kind=PromptKind.TEXT, group_id=office.root)
        session.add(prompt)
        session.flush()
        prompt_id = prompt.id
    assert ids(office, numbers.page, office.ada, q="van") == [number]
    assert ids(office, prompts.page, office.ada, q="red") == [prompt_id]
    assert ids(office, groups.page, office.ada, q="nor") == [office.north]
    assert ids(office, users.page, office.ada, q="olga example") == [office.olga.user_id]


def test_campaigns_are_found_by_each_of_their_filters(office: Office) -> None:
    one = office.campaign(office.olga, external_id="A", ends_at="2026-04-01T00:00:00Z")
    two = office.campaign(office.bert, external_id="a", starts_at="2026-03-02T00:00:00Z", enabled=False)
    three = office.campaign(office.stan, ends_at="2026-03-02T00:00:00Z")
    four = office.campaign(office.ada, end_of_campaign="referral", business_number="+14155550123")
    with office.writing(office.ada) as session:
        edits.archive(session, office.ada, four, {}, NOW)

    def found(**asked: Any) -> list[int]:
        return ids(office, campaigns.page, office.ada, sort="created_at", **asked)

    assert found() == [one, two, three]
    assert found(state=["archived"]) == [four]
    assert found(state=["live", "paused"]) == [one, two]
    assert found(active="true") == [one]
    assert found(active="false") == [two, three]
    assert found(external_id="A") == [one]
    assert found(owner_id=[str(office.bert.user_id), str(office.stan.user_id)]) == [two, three]
    assert found(group_id=str(office.north)) == [one, two]
    assert found(group_id=str(office.north), subgroups="false") == [one]
    assert found(end_of_campaign="referral", state=["archived"]) == [four]
    assert found(starts_from="2026-03-02T00:00:00Z") == [two]
    assert found(starts_before="2026-03-02T00:00:00Z") == [one, three]
    assert found(ends_from="2026-03-02T00:00:00Z") == [one, three]
    assert found(ends_before="2026-04-01T00:00:00Z") == [three]
    assert found(ends_from="2026-03-02T01:00:00+01:00", ends_before="2026-03-02T00:00:00.000001Z") == [three]


def test_a_campaign_is_shown_with_what_it_holds(office: Office) -> None:
    made = office.campaign(
        office.olga,
        ends_at="2026-04-01T00:00:00Z",
        end_of_campaign="referral",
        business_number="+14155550123",
    )
    office.number(office.olga, "+14155550188", made)
    released = office.number(office.olga, "+14155550189", made)
    with office.writing(office.olga) as session:
        number_releases.release_one(session, office.olga, released, {"even_in_use": True}, NOW)
    with office.database.session() as session:
        for serial, days in enumerate((0, 30, 31)):
            at = NOW - timedelta(days=days)
            session.add(
                Call(carrier="twilio", call_sid=str(serial), campaign_id=made, started_at=at, created_at=at)
            )
    with office.reading() as session:
        shown = campaigns.one(session, office.olga, made, NOW)
    assert (shown.group_name, shown.owner_name, shown.state, shown.active) == ("North", "Olga", "live", True)
    assert (shown.numbers, shown.calls_30_days, shown.referral_included) == (1, 2, True)
    assert shown.referral_ends_at is not None
    assert shown.ends_at is not None
    assert shown.referral_ends_at - shown.ends_at == timedelta(days=30)
    assert '"destination":"+14155550123"' in shown.model_dump_json()
    assert '"ends_at":"2026-04-01T00:00:00Z"' in shown.model_dump_json()


BEGINS_OR_ENDS = (
    "+14155550188",
    "14155550188",
    "4155550188",
    "(415) 555-0188",
    "(415) 55",
    "+1 415",
    "0188",
    "188",
    "5550188",
)
DOES_NEITHER = ("+415", "5501", "+0188", "0187")


def test_digits_find_the_beginning_or_the_end_of_a_number(office: Office) -> None:
    made = office.number(office.ada, "+14155550188", group_id=office.branch)
    asked = BEGINS_OR_ENDS + DOES_NEITHER
    found = {written: ids(office, numbers.page, office.bert, number=written) == [made] for written in asked}
    assert found == dict.fromkeys(BEGINS_OR_ENDS, True) | dict.fromkeys(DOES_NEITHER, False)


def test_the_zero_of_a_national_form_is_no_part_of_the_number(office: Office) -> None:
    with office.writing(office.ada) as session:
        group_edits.revise(session, office.ada, office.south, {"phone": "+442079460018"}, NOW)
    made = office.number(office.sam, "+442079460123")
    assert ids(office, numbers.page, office.sam, number="020 7946") == [made]


@pytest.mark.parametrize("written", ["1", "12", "+1", "abc"])
def test_too_few_digits_find_nothing_but_advice(on_sqlite: Office, written: str) -> None:
    for page in (numbers.page, calls.page):
        with pytest.raises(Invalid) as refusal, on_sqlite.reading() as session:
            page(session, on_sqlite.ada, {"number": written}, NOW)
        assert problems(refusal).keys() == {"number"}


def test_numbers_are_found_by_each_of_their_filters(office: Office) -> None:
    campaign = office.campaign(office.bert)
    one = office.number(office.bert, "+14155550181", campaign, record_calls=True, destination="+14155550123")
    two = office.number(office.ned, "+14155550182", caller_id="tracking_number")
    three = office.number(office.sam, "+14155550183")
    four = office.number(office.sam, "+14155550184")
    with office.writing(office.sam) as session:
        number_releases.release_one(session, office.sam, four, {}, NOW)

    def found(**asked: Any) -> list[int]:
        return ids(office, numbers.page, office.ada, **asked)

    assert found() == [one, two, three]
    assert found(status="released") == [four]
    assert found(campaign_id=str(campaign)) == [one]
    assert found(assigned="true") == [one]
    assert found(assigned="false") == [two, three]
    assert found(record_calls="true") == [one]
    assert found(caller_id="tracking_number") == [two]
    assert found(destination="+14155550123") == [one]
    assert found(group_id=str(office.north)) == [one, two]
    assert found(group_id=str(office.north), subgroups="false") == [two]
    assert found(created_from="2026-01-01T00:00:00Z") == [one, two, three]
    assert found(created_before="2026-01-01T00:00:00Z") == []


def test_a_number_is_shown_with_its_campaign(office: Office) -> None:
    live = office.campaign(office.bert, external_id="crm-1")
    paused = office.campaign(office.bert, enabled=False)
    office.number(office.bert, "+14155550181", live)
    office.number(office.bert, "+14155550182", paused)
    office.number(office.ned, "+14155550183")
    shown = walk(office, numbers.page, office.ned)
    assert [(n.national, n.active, n.campaign_external_id) for n in shown] == [
        ("(415) 555-0181", True, "crm-1"),
        ("(415) 555-0182", False, None),
        ("(415) 555-0183", False, None),
    ]


def test_calls_are_found_by_each_of_their_filters(office: Office) -> None:
    office.number(office.ned, "+14155550188")
    plain = {"carrier": "twilio", "created_at": NOW, "group_id": office.north}
    with office.database.session() as session:
        rows = [
            Call(**plain, call_sid="1", started_at=NOW, campaign_id=7, decision="connect", reason="live",
                 disposition="answered", duration_seconds=60, tracking_number=PhoneNumber("+14155550188"),
                 caller=PhoneNumber("+13035550142")),
            Call(**plain | {"group_id": office.branch}, call_sid="2", started_at=NOW - timedelta(hours=1),
                 decision="reject", reason="ended", disposition="rejected", duration_seconds=0),
            Call(**plain, call_sid="3", started_at=NOW - timedelta(hours=2), decision="reject",
                 reason="paused", tracking_number=PhoneNumber("+14155550199")),
        ]  # fmt: skip
        session.add_all(rows)
        session.flush()
        one, two, three = (row.id for row in rows)

    def found(**asked: Any) -> list[int]:
        return ids(office, calls.page, office.ada, **asked)

    assert found() == [one, two, three]
    assert found(started_from="2026-03-04T11:00:00Z") == [one, two]
    assert found(started_before="2026-03-04T11:00:00Z") == [three]
    assert found(campaign_id="7") == [one]
    assert found(number="0188") == [one]
    assert found(number="+14155550199") == [three]
    assert found(caller="+1303") == [one]
    assert found(caller="0142") == [one]
    assert found(decision=["reject"]) == [two, three]
    assert found(reason=["paused", "live"]) == [one, three]
    assert found(disposition=["rejected"]) == [two]
    assert found(duration_from="60") == [one]
    assert found(duration_to="59") == [two]
    assert found(group_id=str(office.branch)) == [two]


def test_a_call_is_shown_with_the_facts_it_was_decided_on(office: Office) -> None:
    with office.database.session() as session:
        call = Call(
            carrier="t", call_sid="1", started_at=NOW, created_at=NOW, group_id=office.north, facts={"a": 1}
        )
        session.add(call)
        session.flush()
        call_id = call.id
    with office.reading() as session:
        shown = calls.one(session, office.olga, call_id, NOW)
    assert (shown.facts, shown.group_id, shown.decision) == ({"a": 1}, office.north, None)


def test_users_groups_and_prompts_are_found_by_their_filters(office: Office) -> None:
    assert ids(office, users.page, office.ada, role="admin") == [
        p.user_id for p in (office.ada, office.ned, office.sam)
    ]
    assert ids(office, users.page, office.ada, status="disabled") == [office.dora.user_id]
    assert ids(office, users.page, office.ada, group_id=str(office.south)) == [
        office.sam.user_id,
        office.stan.user_id,
    ]
    assert ids(office, groups.page, office.ada, parent_id=str(office.root)) == [office.north, office.south]
    assert ids(office, groups.page, office.ada, plan_id=str(office.basic)) == [office.south]
    with office.writing(office.ada) as session:
        group_edits.archive(session, office.ada, office.branch, {}, NOW)
    assert office.branch not in ids(office, groups.page, office.ada)
    assert ids(office, groups.page, office.ada, archived="true") == [office.branch]


def test_the_trail_tells_what_became_of_a_thing(office: Office) -> None:
    made = office.campaign(office.olga)
    with office.writing(office.olga) as session:
        edits.revise(session, office.olga, made, {"name": "New"}, NOW)
    shown = walk(office, audit.page, office.bert, entity="campaign", entity_id=str(made))
    assert shown == []
    shown = walk(office, audit.page, office.olga, entity="campaign", entity_id=str(made))
    assert [(e.field, e.old, e.new, e.user_name) for e in shown] == [
        ("name", "Leaflet", "New", "Olga"),
        ("created", None, "Leaflet", "Olga"),
    ]
    assert len(walk(office, audit.page, office.ada, user_id=str(office.olga.user_id))) == 2
    assert walk(office, audit.page, office.ada, via="command") == []
    assert walk(office, audit.page, office.ada, at_before="2026-01-01T00:00:00Z") == []


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"state": ["odd"]}, "state.0"),
        ({"active": "perhaps"}, "active"),
        ({"owner_id": ["x"]}, "owner_id.0"),
        ({"owner_id": [str(2**63)]}, "owner_id.0"),
        ({"starts_from": "2026-03-01"}, "starts_from"),
        ({"sort": "colour"}, "sort"),
        ({"q": "a\x00b"}, "q"),
        ({"q": "a" * 201}, "q"),
        ({"colour": "red"}, "colour"),
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(
    on_sqlite: Office, asked: dict[str, Any], field: str
) -> None:
    with pytest.raises(Invalid) as refusal, on_sqlite.reading() as session:
        campaigns.page(session, on_sqlite.ada, asked, NOW)
    assert problems(refusal).keys() == {field}
