"""What callers get: the decision table, seen from the carrier's side."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, text

from models.call import Call, recent
from models.campaign import Campaign
from routing.numbers import PhoneNumber
from routing.route import EndOfCampaign
from tests.builders import BUSINESS, NOW, a_campaign, a_group, a_number, a_plan
from tests.webhooks.switchboard import Heard, Switchboard, a_call

DIALLED = PhoneNumber("+15005550100")
SECOND = timedelta(seconds=1)
DAYS_30 = timedelta(days=30)


def logged(board: Switchboard) -> Call:
    """The one call that the log holds."""
    board.drain()
    with board.database.reading() as session:
        (call,) = recent(session, 10)
        return call


def ring(board: Switchboard, at: datetime = NOW, **fields: str) -> Heard:
    board.rebuild_index()
    return board.ring(DIALLED.e164, at=at, **fields)


def put(board: Switchboard, number: dict[str, Any] | None = None, **campaign: Any) -> None:
    """A number on a campaign whose plan includes referral."""
    with board.database.session() as session:
        group = a_group(session, plan_id=a_plan(session).id)
        a_number(session, DIALLED, a_campaign(session, group_id=group.id, **campaign), **(number or {}))


def put_ended(board: Switchboard, ends_at: datetime, **campaign: Any) -> None:
    put(
        board,
        starts_at=ends_at - timedelta(days=90),
        ends_at=ends_at,
        **{  # type: ignore[arg-type]  # mypy takes the mapping for `number`, too
            "end_of_campaign": EndOfCampaign.REFERRAL,
            "business_name": "Bay Bakery",
            "business_number": PhoneNumber("+14155550190"),
        }
        | campaign,
    )


@pytest.mark.parametrize("destination", ["+493012345678", "+19005550100"])
def test_a_destination_that_must_not_be_dialled_is_apologised_for_and_counted(
    switchboard: Switchboard, destination: str
) -> None:
    put(switchboard)
    with switchboard.database.session() as session:  # past the checks at save
        session.connection().execute(text("UPDATE campaigns SET destination = :to"), {"to": destination})
    heard = ring(switchboard)
    assert heard.verbs == ["Say", "Hangup"]
    assert (logged(switchboard).decision, logged(switchboard).reason) == ("apology", "unfit_destination")
    assert switchboard.metrics()['hookswitch_routing_trouble_total{event="unfit_destination"}'] >= 1


def test_a_talk_limit_cuts_the_connection_and_four_hours_do_where_there_is_none(
    switchboard: Switchboard,
) -> None:
    put(switchboard)
    assert ring(switchboard).document[0].get("timeLimit") == "14400"
    with switchboard.database.session() as session:
        session.scalars(select(Campaign)).one().talk_limit = 600
    assert ring(switchboard).document[0].get("timeLimit") == "600"


def test_a_live_campaign_connects_with_one_dial_of_its_destination(switchboard: Switchboard) -> None:
    put(switchboard)
    heard = ring(switchboard)
    assert heard.verbs == ["Dial"]
    assert heard.dialled == BUSINESS.e164


def test_a_number_s_own_destination_comes_before_its_campaign_s(switchboard: Switchboard) -> None:
    put(switchboard, number={"destination": PhoneNumber("+14155550177")})
    assert ring(switchboard).dialled == "+14155550177"


def test_the_answer_is_xml_that_nobody_keeps_and_sets_no_cookie(switchboard: Switchboard) -> None:
    put(switchboard)
    response = ring(switchboard).response
    assert response.mimetype == "text/xml"
    assert response.headers["Cache-Control"] == "no-store"
    assert "Set-Cookie" not in response.headers
    assert len(response.data) < 64_000


@pytest.mark.parametrize(
    ("since_end", "verbs"),
    [
        (-SECOND, ["Dial"]),
        (timedelta(0), ["Say", "Pause", "Say", "Hangup"]),
        (SECOND, ["Say", "Pause", "Say", "Hangup"]),
        (DAYS_30 - SECOND, ["Say", "Pause", "Say", "Hangup"]),
        (DAYS_30, ["Reject"]),
        (DAYS_30 + SECOND, ["Reject"]),
    ],
)
def test_the_referral_prompt_plays_for_thirty_days_after_the_end(
    switchboard: Switchboard, since_end: timedelta, verbs: list[str]
) -> None:
    put_ended(switchboard, NOW)
    assert ring(switchboard, NOW + since_end).verbs == verbs


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe"])
def test_the_window_is_thirty_times_24_hours_across_a_change_of_clocks(
    switchboard: Switchboard, zone: str
) -> None:
    ends_at = datetime(2026, 10, 10, 18, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    put_ended(switchboard, ends_at)
    assert "Say" in ring(switchboard, ends_at + DAYS_30 - SECOND).verbs
    assert ring(switchboard, ends_at + DAYS_30).verbs == ["Reject"]


def test_one_index_entry_crosses_every_boundary_without_a_write(switchboard: Switchboard) -> None:
    put_ended(switchboard, NOW)
    switchboard.rebuild_index()
    (key,) = switchboard.redis.scan_iter(match="*:c:*")
    before = switchboard.redis.get(key)
    verbs = [
        switchboard.ring(DIALLED.e164, at=NOW + offset).verbs[0]
        for offset in (-SECOND, timedelta(0), DAYS_30)
    ]
    assert verbs == ["Dial", "Say", "Reject"]
    assert switchboard.redis.get(key) == before


def test_the_referral_prompt_names_business_and_number_twice_digit_by_digit(
    switchboard: Switchboard,
) -> None:
    put_ended(switchboard, NOW)
    spoken = ring(switchboard, NOW + SECOND).spoken
    assert spoken.count("4 1 5, 5 5 5, 0 1 9 0") == 2
    assert spoken.count("Bay Bakery") == 2


@pytest.mark.parametrize(
    ("campaign", "reason"),
    [
        ({"starts_at": NOW + timedelta(days=1)}, "scheduled"),
        ({"enabled": False}, "paused"),
        ({"archived_at": NOW}, "archived"),
        ({"starts_at": NOW - 2 * DAYS_30, "ends_at": NOW - SECOND}, "ended"),
    ],
)
def test_an_inactive_campaign_rejects_and_the_log_says_why(
    switchboard: Switchboard, campaign: dict[str, Any], reason: str
) -> None:
    put(switchboard, **campaign)
    heard = ring(switchboard)
    assert heard.verbs == ["Reject"]
    assert heard.document[0].attrib == {"reason": "rejected"}
    assert (logged(switchboard).decision, logged(switchboard).reason) == ("reject", reason)


def test_a_plan_without_referral_rejects_once_the_campaign_has_ended(switchboard: Switchboard) -> None:
    with switchboard.database.session() as session:
        group = a_group(session, plan_id=a_plan(session, includes_referral=False).id)
        campaign = a_campaign(session, group_id=group.id, ends_at=NOW, end_of_campaign=EndOfCampaign.REFERRAL)
        a_number(session, DIALLED, campaign)
    assert ring(switchboard, NOW + SECOND).verbs == ["Reject"]


def test_an_unknown_number_is_rejected_and_logged(switchboard: Switchboard) -> None:
    assert ring(switchboard).verbs == ["Reject"]
    assert logged(switchboard).reason == "unknown_number"


def test_a_released_number_is_rejected_and_logged_as_released(switchboard: Switchboard) -> None:
    with switchboard.database.session() as session:
        number = a_number(session, DIALLED, a_campaign(session))
        number.release(NOW)
    assert ring(switchboard).verbs == ["Reject"]
    assert logged(switchboard).reason == "released"


def test_a_number_on_no_campaign_is_rejected_for_its_group(switchboard: Switchboard) -> None:
    with switchboard.database.session() as session:
        group_id = a_number(session, DIALLED).group_id
    assert ring(switchboard).verbs == ["Reject"]
    assert (logged(switchboard).reason, logged(switchboard).group_id) == ("unassigned", group_id)


@pytest.mark.parametrize(
    "dialled", ["+1 500 555-0100", "sip:+15005550100@sip.example.com", "tel:+15005550100"]
)
def test_other_spellings_of_a_number_reach_its_campaign(switchboard: Switchboard, dialled: str) -> None:
    put(switchboard)
    switchboard.rebuild_index()
    assert switchboard.ring(dialled, at=NOW).verbs == ["Dial"]


@pytest.mark.parametrize(
    "dialled", ["15005550100", "5005550100", "sip:sales@example.com", "client:joe", "12345", "", "9" * 10_000]
)
def test_what_is_no_international_number_is_rejected_and_never_completed(
    switchboard: Switchboard, dialled: str
) -> None:
    put(switchboard)
    switchboard.rebuild_index()
    assert switchboard.ring(dialled, at=NOW).verbs == ["Reject"]
    call = logged(switchboard)
    assert call.reason == "unknown_number"
    assert call.dialled_text == (dialled[:64] or None)


@pytest.mark.parametrize(
    "caller", ["anonymous", "Restricted", "+266696687", "client:x", "sip:x@y", "", "z" * 200]
)
def test_a_withheld_caller_connects_behind_the_tracking_number_and_is_nobody_in_the_log(
    switchboard: Switchboard, caller: str
) -> None:
    put(switchboard)
    heard = ring(switchboard, From=caller)
    assert heard.document[0].attrib["callerId"] == DIALLED.e164
    assert logged(switchboard).caller is None


def test_a_caller_with_a_number_is_passed_on_as_he_is(switchboard: Switchboard) -> None:
    put(switchboard)
    heard = ring(switchboard, From="+13035550142")
    assert "callerId" not in heard.document[0].attrib
    assert logged(switchboard).caller == PhoneNumber("+13035550142")


@pytest.mark.parametrize(
    "name", ["</Say><Dial>+19005550199</Dial><Say>", "A & B", "Café 🥐", "tab\x0bnul", "x" * 200]
)
def test_no_campaign_name_can_add_a_verb(switchboard: Switchboard, name: str) -> None:
    put_ended(switchboard, NOW, business_name=name)
    heard = ring(switchboard, NOW + SECOND)
    assert heard.verbs == ["Say", "Pause", "Say", "Hangup"]
    assert len(heard.response.data) < 64_000


def test_a_campaign_without_a_destination_apologises_instead_of_dialling(switchboard: Switchboard) -> None:
    put(switchboard, destination=None)
    heard = ring(switchboard)
    assert heard.verbs == ["Say", "Hangup"]
    assert logged(switchboard).reason == "no_destination"


def test_a_number_that_would_ring_itself_apologises(switchboard: Switchboard) -> None:
    put(switchboard)
    with switchboard.database.session() as session:  # around our own check at save
        session.connection().execute(text("UPDATE campaigns SET destination = :own"), {"own": DIALLED.e164})
    assert ring(switchboard).verbs == ["Say", "Hangup"]


def test_recording_is_announced_before_the_dial(switchboard: Switchboard) -> None:
    put(switchboard, number={"record_calls": True})
    heard = ring(switchboard)
    assert heard.verbs == ["Say", "Dial"]
    assert heard.document[1].attrib["record"] == "record-from-answer-dual"


def test_without_recording_there_is_no_record_attribute_at_all(switchboard: Switchboard) -> None:
    put(switchboard)
    assert "record" not in ring(switchboard).document[0].attrib


def test_the_log_keeps_the_call_with_the_facts_it_was_decided_on(switchboard: Switchboard) -> None:
    put(switchboard, external_id="spring-26")
    ring(switchboard)
    call = logged(switchboard)
    assert (call.tracking_number, call.campaign_external_id, call.destination) == (
        DIALLED,
        "spring-26",
        BUSINESS,
    )
    assert call.started_at == NOW
    assert call.facts is not None
    assert call.facts.keys() == {"number", "campaign"}


def test_the_same_request_a_hundred_times_is_one_call_and_one_answer(switchboard: Switchboard) -> None:
    put(switchboard)
    switchboard.rebuild_index()
    same = a_call(DIALLED.e164)
    answers = {switchboard.ring(DIALLED.e164, at=NOW, **same).response.data for _ in range(100)}
    assert len(answers) == 1
    assert logged(switchboard).call_sid == same["CallSid"]


def test_an_edit_of_the_campaign_counts_for_the_next_call(switchboard: Switchboard) -> None:
    put(switchboard)
    switchboard.rebuild_index()
    assert switchboard.ring(DIALLED.e164, at=NOW).verbs == ["Dial"]
    with switchboard.database.session() as session:
        campaign = session.scalars(select(Campaign)).one()
        campaign.destination = PhoneNumber("+14155550166")
    switchboard.publish()
    assert switchboard.ring(DIALLED.e164, at=NOW).dialled == "+14155550166"
