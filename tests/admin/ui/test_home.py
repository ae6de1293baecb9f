"""Home: what works and what does not, the calls of today, what comes, what is dialled in vain."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import pytest

from admin.access.gate import UNATTENDED_HEADER
from models.call import Call
from routing.numbers import PhoneNumber
from scripts import vital_signs
from scripts.findings import Finding, Verdict
from tests.admin.ui.visits import Page, Visit, writing
from tests.admin.walk import World
from tests.builders import a_campaign, a_phone

_WEEK = timedelta(days=7)
_SOON = timedelta(minutes=1)
"""More than a test takes."""


def now() -> datetime:
    return datetime.now(UTC)


def logged(world: World, decision: str = "connect", **said: object) -> int:
    with writing(world) as session:
        at = now()
        plain = {
            "carrier": "twilio",
            "call_sid": f"CA{a_phone().e164[1:]:0>32}",
            "group_id": world.north,
            "decision": decision,
            "tracking_number": a_phone(),
            "caller": a_phone(),
            "started_at": at,
            "created_at": at,
        }
        call = Call(**(plain | said))
        session.add(call)
        session.flush()
        return call.id


def figures(page: Page) -> dict[str, str]:
    """The big numbers, by what they count."""
    return dict(re.findall(r"<dt>([^<]+)</dt><dd>([\d,+]+)<", page.source))


def found(monkeypatch: pytest.MonkeyPatch, *findings: Finding) -> None:
    def examine(_parts: object) -> Iterable[Finding]:
        return findings

    monkeypatch.setattr(vital_signs, "examine", examine)


WORKS = Finding("redis", Verdict.OK, "version 7.0.15")
SILENT = Finding("worker", Verdict.WARNING, "none has ever run on this host", "start a worker")


def test_an_installation_without_a_worker_says_so(ada: Visit) -> None:
    page = ada.get("/")
    assert "Needs attention" in page.text
    assert "Worker none has ever run on this host" in page.text


def test_whoever_runs_the_server_is_told_what_to_do(ada: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    found(monkeypatch, WORKS, SILENT)
    text = ada.get("/").text
    assert "Start a worker" in text
    assert "version 7.0.15" in text


@pytest.mark.parametrize("who", ["nora", "otis"])
def test_others_are_told_whom_to_tell(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, who: str
) -> None:
    found(monkeypatch, WORKS, SILENT)
    text = request.getfixturevalue(who).get("/").text
    assert "Tell whoever runs this server." in text
    assert "Start a worker" not in text
    assert "version 7.0.15" not in text


def test_where_all_is_well_nothing_is_wrong(ada: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    found(monkeypatch, WORKS)
    text = ada.get("/").text
    assert "Everything works" in text
    assert "Needs attention" not in text


def test_calls_of_today_are_counted_by_what_became_of_them(world: World, nora: Visit, sue: Visit) -> None:
    logged(world, disposition="completed", answered_at=now(), ended_at=now(), talk_seconds=42)
    logged(world, disposition="no-answer", ended_at=now())
    logged(world)
    logged(world, "referral")
    logged(world, "reject", reason="ended")
    logged(world, "reject", reason="paused")
    assert figures(nora.get("/")) == {
        "Now": "1",
        "Calls": "6",
        "Answered": "1",
        "Missed": "1",
        "Referral": "1",
        "Rejected": "2",
    }
    assert figures(sue.get("/"))["Calls"] == "0"


def test_the_calls_of_today_are_a_click_away(world: World, nora: Visit) -> None:
    today, earlier = logged(world), logged(world, started_at=now() - timedelta(days=1))
    (link,) = (link for link in nora.get("/").links if link.startswith("/calls?"))
    links = nora.get(link).links
    assert f"/calls/{today}" in links
    assert f"/calls/{earlier}" not in links


def test_what_is_under_way_leads_to_the_call(world: World, nora: Visit) -> None:
    ringing, over = logged(world), logged(world, disposition="completed", ended_at=now())
    links = nora.get("/").links
    assert f"/calls/{ringing}" in links
    assert f"/calls/{over}" not in links


def test_a_call_whose_end_was_never_told_is_not_under_way_for_ever(world: World, nora: Visit) -> None:
    lost = logged(world, started_at=now() - timedelta(hours=4))
    assert f"/calls/{lost}" not in nora.get("/").links


def test_calls_are_fetched_again_by_themselves(world: World, nora: Visit) -> None:
    logged(world)
    part = nora.get("/home/calls", HX_Request="true")
    assert figures(part)["Calls"] == "1"
    assert "<html" not in part.source
    assert "<html" in nora.get("/home/calls").source


def test_a_home_page_that_nobody_looks_at_keeps_no_session_alive(nora: Visit) -> None:
    part = re.search(r'<section [^>]*hx-get="/home/calls"[^>]*>', nora.get("/").source)
    assert part is not None
    assert f'"{UNATTENDED_HEADER}": "yes"' in part[0]


@pytest.mark.parametrize(("after", "is_told"), [(_WEEK - _SOON, True), (_WEEK + _SOON, False)])
@pytest.mark.parametrize("what", ["starts_at", "ends_at"])
def test_what_starts_or_ends_within_a_week_is_told(
    world: World, nora: Visit, sue: Visit, what: str, after: timedelta, *, is_told: bool
) -> None:
    with writing(world) as session:
        campaign = a_campaign(session, group_id=world.north, **{what: now() + after}).id
    assert (f"/campaigns/{campaign}" in nora.get("/").links) is is_told
    assert f"/campaigns/{campaign}" not in sue.get("/").links


def test_numbers_dialled_in_vain_are_told_with_their_callers(world: World, nora: Visit, sue: Visit) -> None:
    number, again = PhoneNumber("+14155550190"), a_phone()
    with writing(world) as session:
        campaign = a_campaign(session, group_id=world.north, name="Old leaflet").id
    over = {"tracking_number": number, "campaign_id": campaign, "reason": "ended"}
    for caller in (again, again, a_phone()):
        logged(world, "reject", caller=caller, **over)
    logged(world, "reject", reason="paused", tracking_number=PhoneNumber("+14155550191"))
    page = nora.get("/")
    assert "555-0190 Old leaflet ended 3 2 " in page.text
    assert f"/campaigns/{campaign}" in page.links
    assert "555-0191" not in page.text
    assert "Nobody called in vain" in sue.get("/").text


@pytest.mark.parametrize(("days", "is_told"), [(6, True), (7, False)])
def test_what_was_dialled_in_vain_is_forgotten_after_a_week(
    world: World, nora: Visit, days: int, *, is_told: bool
) -> None:
    at = now() - timedelta(days=days)
    logged(world, "reject", reason="released", tracking_number=PhoneNumber("+14155550190"), started_at=at)
    assert ("415-555-0190" in nora.get("/").text) is is_told


def test_every_link_leads_to_a_page(world: World, nora: Visit) -> None:
    logged(world)
    logged(world, "reject", reason="ended")
    with writing(world) as session:
        a_campaign(session, group_id=world.north, ends_at=now() + timedelta(days=1))
    links = nora.get("/").links
    assert {"/campaigns", "/tracking-numbers", "/calls", "/groups", "/users"} <= links
    assert {link: nora.get(link).status for link in links} == dict.fromkeys(links, 200)
