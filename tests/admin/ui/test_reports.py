"""The report pages: figures and the calls behind them, filters that are kept, files, empty states."""

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from admin.lists import calls as call_list
from admin.report_filters import read
from admin.ui import calls
from admin.ui.forms import Form
from admin.ui.frame import Asked
from admin.ui.report_sheets import SHEETS
from admin.ui.report_tables import Cell, Place, log_address, period_of, table
from admin.ui.report_wording import difference
from models.call import Call
from models.tracking_number import TrackingNumber
from tests.admin.call_history import BEGAN, DAYS, write_history
from tests.admin.office import Office
from tests.admin.ui.visits import Visit, writing
from tests.admin.walk import World
from tests.builders import a_campaign, a_number, a_phone

_LATER = BEGAN + timedelta(days=DAYS + 5)


def behind(asked: Asked, href: str) -> int:
    """How many calls the log shows at an address."""
    query = parse_qsl(urlsplit(href).query)
    form = Form(dict(query))
    raw = calls.LISTED.raw(asked, query, form)
    assert form.is_right
    page = call_list.page(asked.session, asked.actor, raw | {"count": True, "limit": 1}, asked.now)
    assert page.total is not None
    return page.total


@pytest.mark.parametrize("name", SHEETS)
def test_every_figure_is_the_number_of_calls_that_it_leads_to(office: Office, name: str) -> None:
    write_history(office, 60)
    sheet = SHEETS[name]
    filters = {"group_id": str(office.root), "subgroups": "true"}
    raw = {"first_day": "2026-03-24", "last_day": "2026-04-05"}
    for person, chosen in ((office.ada, {}), (office.ned, {}), (office.ada, filters)):
        actor = replace(person, time_zone="Europe/Berlin")
        with office.reading() as session:
            asked = Asked(session, actor, _LATER)
            report = sheet.load(read(session, actor, raw | chosen, _LATER))
            place: Place = {**chosen}
            shown = table(sheet, report, place)
            cells: list[Cell] = [cell for row in shown.rows for cell in row.figures if cell.href]
            assert len(cells) >= 3
            assert [behind(asked, cell.href) for cell in cells] == [int(cell.text) for cell in cells]
            assert behind(asked, log_address(period_of(report), place)) == report.totals.calls


@pytest.mark.parametrize(
    ("now", "before", "said"),
    [
        (12, 10, "2 more (20 %)"),
        (10, 12, "2 fewer (17 %)"),
        (1_001, 1_000, "1 more (less than 1 %)"),
        (3, 3, "as many"),
        (0, 0, "none, as before"),
        (3, 0, "3 more; there were none"),
        (0, 3, "3 fewer (100 %)"),
        (3, None, "no such day before"),
    ],
)
def test_a_difference_is_said_in_number_and_per_cent(now: int, before: int | None, said: str) -> None:
    assert difference(now, before) == said


def logged(world: World, count: int = 1, **said: Any) -> None:
    at = datetime.now(UTC)
    with writing(world) as session:
        for _ in range(count):
            plain = {
                "carrier": "twilio",
                "call_sid": a_phone().e164,
                "group_id": world.north,
                "decision": "reject",
                "started_at": at,
                "created_at": at,
            }
            session.add(Call(**(plain | said)))


@pytest.fixture
def leaflet(world: World) -> tuple[int, TrackingNumber]:
    """A campaign of the north with a number, which was called twice and answered once, today."""
    with writing(world) as session:
        campaign = a_campaign(session, group_id=world.north, name="Leaflet <1>", external_id="=L-1")
        number = a_number(session, a_phone(), campaign, name="Front page")
        at: dict[str, Any] = {
            "campaign_id": campaign.id,
            "tracking_number": number.number,
            "decision": "connect",
        }
    logged(world, answered_at=datetime.now(UTC), caller=a_phone(), **at)
    logged(world, disposition="busy", **at)
    return campaign.id, number


def downloaded(visit: Visit, path: str) -> list[dict[str, str]]:
    page = visit.get(path)
    assert page.status == 200
    return list(csv.DictReader(io.StringIO(page.source.removeprefix("\ufeff"), newline="")))


def test_reports_open_with_the_days_of_the_last_30(nora: Visit, leaflet: tuple[int, TrackingNumber]) -> None:
    page = nora.get("/reports")
    assert "Calls per day" in page.text
    assert "Calls 2 2 more; there were none Answered 1" in page.text
    assert "50 % of those put through" in page.text
    assert 'name="period" value="30d" checked' in page.source


def test_a_report_names_the_campaign_that_it_is_about(
    nora: Visit, leaflet: tuple[int, TrackingNumber]
) -> None:
    page = nora.get(f"/reports/hours?campaign_id={leaflet[0]}&period=today")
    assert f"campaign Leaflet <1> (Campaign ID {leaflet[0]}, External ID =L-1)" in page.text
    assert f"/reports/callers?period=today&campaign_id={leaflet[0]}" in page.links


def test_who_sees_another_subtree_sees_other_figures(sue: Visit, leaflet: tuple[int, TrackingNumber]) -> None:
    assert "Nobody called in these days" in sue.get("/reports").text
    assert "Leaflet" not in sue.get(f"/reports/campaigns?campaign_id={leaflet[0]}").text


@pytest.mark.parametrize("name", SHEETS)
def test_every_report_is_a_page_and_a_file_with_the_campaigns_ids(
    world: World, nora: Visit, leaflet: tuple[int, TrackingNumber], name: str
) -> None:
    campaign, number = leaflet
    logged(world, campaign_id=campaign, tracking_number=number.number, reason="ended")
    query = f"period=today&campaign_id={campaign}"
    page = nora.get(f"/reports/{name}?{query}")
    assert page.status == 200
    assert f"/reports/{name}/download.xlsx?{query}" in page.links
    rows = downloaded(nora, f"/reports/{name}/download.csv?{query}")
    assert {(row["campaign_id"], row["campaign_external_id"]) for row in rows} == {(str(campaign), "'=L-1")}


def test_a_file_has_all_rows_and_numbers_stay_e164(
    world: World, nora: Visit, leaflet: tuple[int, TrackingNumber]
) -> None:
    for _ in range(101):
        logged(world, tracking_number=a_phone())
    page = nora.get("/reports/numbers?period=today")
    assert "100 rows of 102; the file has all of them." in page.text
    rows = downloaded(nora, "/reports/numbers/download.csv?period=today")
    assert len(rows) == 102
    assert rows[0]["number"] == leaflet[1].number.e164
    assert (rows[0]["answered"], rows[0]["calls_before"], rows[0]["change"]) == ("1", "0", "2")


def test_filters_are_saved_for_every_report_and_reset(
    nora: Visit, leaflet: tuple[int, TrackingNumber]
) -> None:
    query = f"period=7d&campaign_id={leaflet[0]}"
    saved = nora.post("/reports/filters", query=query, back=f"/reports/hours?{query}")
    assert (saved.status, saved.went_to) == (303, f"/reports/hours?{query}")
    assert nora.get("/reports").went_to == f"/reports?{query}"
    assert nora.get("/reports/numbers").went_to == f"/reports/numbers?{query}"
    assert nora.get("/reports?period=today").status == 200
    assert nora.post("/reports/filters/reset", back="/reports/numbers").went_to == "/reports/numbers"
    assert nora.get("/reports/numbers").status == 200


@pytest.mark.parametrize("query", ["query=x%00", f"query={'&a=b' * 200}", ""])
def test_what_is_no_filter_is_not_saved(nora: Visit, query: str) -> None:
    assert nora.post("/reports/filters", query=query).status == 303
    assert nora.get("/reports").went_to == "/reports?period=30d"
    nora.post("/reports/filters/reset")


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("period=own&last_day=2026-03-01", "First day is mandatory"),
        ("first_day=2026-03-31&last_day=2026-03-01", "Last day lies before the first day"),
        ("period=week", "Period"),
        ("number=12", "Number needs 3 digits or more"),
        ("campaign_id=x", "Campaign"),
    ],
)
def test_what_cannot_be_asked_is_told_and_what_was_typed_stays(nora: Visit, query: str, said: str) -> None:
    page = nora.get(f"/reports/campaigns?{query}")
    assert page.status == 200
    assert said in page.text
    assert "The same in figures" not in page.text


def test_days_count_where_own_range_is_chosen_and_not_beside_a_period(nora: Visit) -> None:
    days = "first_day=2026-03-01&last_day=2026-03-02"
    assert "1\u20132 Mar 2026" in nora.get(f"/reports?period=own&{days}").text
    assert "1\u20132 Mar 2026" not in nora.get(f"/reports?period=7d&{days}").text


def test_htmx_gets_the_report_alone_and_its_address(nora: Visit) -> None:
    part = nora.get("/reports/groups?period=7d", HX_Request="true", HX_Target="report")
    assert "<html" not in part.source
    assert 'id="filters"' not in part.source


def test_there_is_no_other_report(nora: Visit) -> None:
    assert nora.get("/reports/weather").status == 404
    assert nora.get("/reports/weather/download.csv").status == 404
    assert nora.get("/reports/days/download.pdf").status == 404
