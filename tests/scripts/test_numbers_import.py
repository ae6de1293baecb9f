"""`hookswitch numbers import`: all or nothing, every error with its line, quick, and repeatable."""

import csv
from pathlib import Path

import pytest
import redis

from models.campaign import Campaign
from models.database import Database
from models.group import Group
from routing.index.layout import Layout
from routing.numbers import PhoneNumber
from routing.route import CallerId
from tests.builders import BUSINESS, TRACKING, a_campaign, a_group, a_number
from tests.scripts.conftest import Typed
from tests.scripts.installation import Installation
from tests.scripts.numbers_at_hand import a_campaign_to_buy_for, held, index_differences
from tests.services.redis_server import RedisServer
from tests.services.twilio_numbers import TwilioNumbersServer

HEADING = "number,campaign_id,name,destination,whisper,ring_timeout,record_calls,caller_id,carrier_sid\n"


@pytest.fixture
def campaign(installation: Installation) -> int:
    return a_campaign_to_buy_for(installation, external_id="LEAFLET-1")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "numbers.csv"


def test_rows_become_numbers_that_are_routed_at_once(
    installation: Installation, typed: Typed, campaign: int, file: Path
) -> None:
    file.write_text(
        f"{HEADING}+14155551000,{campaign},Front,+13035550142,Hello.,25,yes,tracking_number,PN1\n"
        f'(415) 555-1001,{campaign},"Back, page",,,,,,\n'
    )
    told = typed("numbers", "import", str(file))
    assert (told.status, told.err) == (0, "")
    assert told.out.startswith("2 numbers imported, 0 were held already, 0 rejected")
    front, back = held(installation)["+14155551000"], held(installation)["+14155551001"]
    assert front.destination == PhoneNumber("+13035550142")
    assert (front.whisper, front.ring_timeout, front.record_calls) == ("Hello.", 25, True)
    assert (front.caller_id, front.carrier_sid) == (CallerId.TRACKING_NUMBER, "PN1")
    assert (back.name, back.record_calls, back.campaign_id) == ("Back, page", False, campaign)
    assert index_differences(installation) == []


def test_repeating_it_changes_nothing(
    installation: Installation, typed: Typed, campaign: int, file: Path
) -> None:
    file.write_text("number,name\n+14155551000,Front\n+14155551001,Back\n")
    words = ("numbers", "import", str(file), "--campaign", str(campaign))
    assert typed(*words, "--json").json["created"] == 2
    before = {e164: number.revision for e164, number in held(installation).items()}
    again = typed(*words, "--json").json
    assert (again["created"], again["unchanged"], again["rejected"]) == (0, 2, [])
    assert {e164: number.revision for e164, number in held(installation).items()} == before


def test_all_errors_are_told_with_their_lines_and_nothing_is_imported(
    installation: Installation, typed: Typed, campaign: int, file: Path
) -> None:
    with installation.database.session() as session:
        a_number(session, TRACKING, session.get_one(Campaign, campaign), name="Other")
    file.write_text(
        f"{HEADING}"
        f"+14155551000,{campaign},Good,,,,,,\n"
        f"+14155551000,{campaign},Twice,,,,,,\n"
        f"4.15555E+09,{campaign},Spoiled,,,,,,\n"
        f"12,{campaign},Short,,,,,,\n"
        f"+14155551002,999,Nowhere,,,,,,\n"
        f"+14155551003,{campaign},Dear,+19005550100,,,,,\n"
        f"+14155551004,{campaign},Slow,,,3,,,\n"
        f"+14155551005,{campaign},Maybe,,,,perhaps,,\n"
        f"{TRACKING.e164},{campaign},Taken,,,,,,\n"
        f"+14155551006,{campaign}\n"
        f"+14155551007,{campaign},Circle,+14155551000,,,,,\n"
        '\n+14155551008,,"No\ncampaign",,,,,,\n'
    )
    told = typed("numbers", "import", str(file))
    assert told.status == 1
    assert told.out == "11 lines are wrong, so nothing was imported\n"
    lines = {line.split(":")[0]: line for line in told.err.splitlines()}
    for line, words in {
        3: "number stands in line 2 already",
        4: "number was spoiled by a spreadsheet",
        5: "number is no number of US",
        6: "campaign_id there is no such campaign",
        7: "destination is a premium-rate number",
        8: "ring_timeout",
        9: "record_calls must be true or false",
        10: "number is held already, with another name",
        11: "has 2 cells, the first line 9",
        12: "destination is a tracking number of ours",
        14: "name has characters that cannot be shown",
    }.items():
        assert words in lines[f"line {line}"], lines
    assert list(held(installation)) == [TRACKING.e164]


def test_good_rows_may_be_taken_and_the_others_put_aside_to_be_mended(
    installation: Installation, typed: Typed, campaign: int, file: Path, tmp_path: Path
) -> None:
    file.write_text("number,campaign_external_id,name\n+14155551000,LEAFLET-1,Good\n12,LEAFLET-1,Bad\n")
    rejects = tmp_path / "rejects.csv"
    told = typed("numbers", "import", str(file), "--skip-bad", "--rejects", str(rejects))
    assert told.status == 0
    assert told.out.startswith("1 numbers imported, 0 were held already, 1 rejected")
    (row,) = csv.DictReader(rejects.read_text().splitlines())
    assert (row["number"], row["name"], row["line"]) == ("12", "Bad", "3")
    assert "number is no number of US" in row["errors"]
    rejects.write_text(rejects.read_text().replace("\n12,", "\n+14155551001,"))
    assert typed("numbers", "import", str(rejects)).status == 0
    assert held(installation)["+14155551001"].campaign_id == campaign


def test_a_check_writes_nothing(installation: Installation, typed: Typed, campaign: int, file: Path) -> None:
    file.write_text(f"number,campaign_id\n+14155551000,{campaign}\n")
    told = typed("numbers", "import", str(file), "--check")
    assert told.out == "all lines are right: 1 to import, 0 held already\n"
    assert held(installation) == {}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "the first line has to name the columns"),
        ("number,colour\n", "unknown: colour"),
        ("campaign_id\n1\n", "the first line has to name the columns"),
        ('number\n"+1415', "the file is no CSV in UTF-8"),
    ],
)
def test_a_file_that_is_no_table_of_numbers_is_refused(  # noqa: PLR0917 - fixtures and cases
    installation: Installation, typed: Typed, file: Path, campaign: int, content: str, told: str
) -> None:
    file.write_text(content)
    assert told in typed("numbers", "import", str(file), "--campaign", str(campaign)).complaint


def test_semicolons_and_a_byte_order_mark_are_what_spreadsheets_write(
    installation: Installation, typed: Typed, campaign: int, file: Path
) -> None:
    file.write_text(f"\ufeffnumber;campaign_id;name\r\n'+14155551000;{campaign};Größe\r\n")
    assert typed("numbers", "import", str(file)).status == 0
    assert held(installation)["+14155551000"].name == "Größe"


def test_a_number_that_is_held_otherwise_is_an_error_and_not_changed(
    installation: Installation, typed: Typed, campaign: int, file: Path
) -> None:
    file.write_text("number,name\n+14155551000,Front\n")
    typed("numbers", "import", str(file), "--campaign", str(campaign))
    file.write_text("number,name\n+14155551000,Back\n")
    told = typed("numbers", "import", str(file), "--campaign", str(campaign))
    assert told.status == 1
    assert "is held already, with another name" in told.err
    assert held(installation)["+14155551000"].name == "Front"


def test_what_the_account_has_and_we_do_not_is_taken_over(
    installation: Installation, shop: TwilioNumbersServer, typed: Typed, campaign: int
) -> None:
    sid = shop.own("+14155551000", friendly_name="Leaflet")
    shop.own(TRACKING.e164)
    with installation.database.session() as session:
        a_number(session, TRACKING)
    words = ("numbers", "import", "--from-carrier", "--campaign", str(campaign))
    assert typed(*words).out.startswith("1 numbers imported, 0 were held already")
    taken = held(installation)["+14155551000"]
    assert (taken.name, taken.carrier_sid, taken.campaign_id) == ("Leaflet", sid, campaign)
    assert typed(*words).out.startswith("0 numbers imported")
    assert shop.writes == []


def test_thousands_of_numbers_are_imported_and_routable(  # noqa: PLR0917 - fixtures and cases
    settings: None,
    postgres_url: str,
    redis_server: RedisServer,
    redis_client: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
    typed: Typed,
    file: Path,
) -> None:
    monkeypatch.setenv("DATABASE_URL", postgres_url)
    monkeypatch.setenv("REDIS_URL", redis_server.url)
    database = Database(postgres_url, patient=True)
    there = Installation(database, redis_client, Layout())
    with database.session() as session:
        group: Group = a_group(session, phone=BUSINESS)
        campaigns = [a_campaign(session, group_id=group.id).id for _ in range(20)]
    there.rebuild_index()
    rows = (f"+1{4152000000 + n},{campaigns[n % 20]},Leaflet {n},+1303555{n:04d}\n" for n in range(1_500))
    file.write_text("number,campaign_id,name,destination\n" + "".join(rows))
    told = typed("numbers", "import", str(file), "--json").json
    assert (told["created"], told["rejected"], told["applied"]) == (1_500, [], True)
    assert index_differences(there) == []
    database.dispose()
