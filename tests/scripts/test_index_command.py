"""`hookswitch index`: rebuilds from the truth, and tells where index and truth disagree."""

import io
import sys

import pytest
from sqlalchemy import select

from models.campaign import Campaign
from routing.index.layout import Layout
from routing.numbers import PhoneNumber
from scripts import index
from tests.scripts.conftest import Typed
from tests.scripts.installation import Installation

AWAY = {
    "REDIS_URL": ("redis://127.0.0.1:1/0", "Redis does not answer (ConnectionError); check REDIS_URL"),
    "DATABASE_URL": ("sqlite:////nowhere/h.db", "the database cannot be read (OperationalError); "),
}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def disable_one_campaign(installation: Installation) -> int:
    """Change the truth; nobody tells the index."""
    with installation.database.session() as session:
        campaign = session.scalars(select(Campaign).where(Campaign.enabled).limit(1)).one()
        campaign.enabled = False
    return campaign.id


def forget_one_number(installation: Installation, e164: str) -> None:
    place = installation.layout.place_of(PhoneNumber(e164))
    generation = int(installation.redis.get(installation.layout.live(0)) or b"")
    key = f"{installation.layout.prefix(0)}{generation}:n:{place.bucket}"
    assert installation.redis.hdel(key, place.field) == 1


def test_a_rebuilt_index_agrees_with_the_database(installation: Installation, typed: Typed) -> None:
    installation.load_demo()
    installation.redis.flushall()
    rebuilt = typed("index", "rebuild")
    assert (rebuilt.status, rebuilt.err) == (0, "")
    assert rebuilt.out.startswith("index rebuilt: 14 numbers, ")
    verified = typed("index", "verify")
    assert (verified.status, verified.out, verified.err) == (0, "index and database agree\n", "")


def test_a_rebuild_tells_its_figures_as_json(installation: Installation, typed: Typed) -> None:
    installation.load_demo()
    told = typed("index", "rebuild", "--json").json
    assert told["numbers"] == 14
    assert told["campaigns"] > 0
    assert 0 <= told["seconds"] < 60


def test_differences_are_listed_and_make_it_fail(installation: Installation, typed: Typed) -> None:
    installation.load_demo()
    campaign_id = disable_one_campaign(installation)
    forget_one_number(installation, "+15005550100")
    told = typed("index", "verify")
    assert (told.status, told.err) == (1, "")
    assert sorted(told.out.splitlines()) == sorted(
        [f"campaign {campaign_id}: differs", "number +1500•••0100: missing", "2 differences"]
    )
    as_json = typed("index", "verify", "--json")
    assert as_json.status == 1
    assert {(line["subject"], line["fault"]) for line in as_json.json_lines} == {
        (f"campaign {campaign_id}", "differs"),
        ("number +1500•••0100", "missing"),
    }
    assert typed("index", "rebuild").status == 0
    mended = typed("index", "verify", "--json")
    assert (mended.status, mended.out) == (0, "")


def test_without_an_index_everything_is_missing(installation: Installation, typed: Typed) -> None:
    installation.load_demo()
    installation.redis.flushall()
    told = typed("index", "verify", "--json")
    assert told.status == 1
    assert {line["fault"] for line in told.json_lines} == {"missing"}


def test_a_second_rebuilder_is_turned_away_in_one_line(installation: Installation, typed: Typed) -> None:
    installation.redis.set(Layout().lock(), "another's")
    told = typed("index", "rebuild")
    assert (told.status, told.out) == (1, "")
    assert told.complaint == "hookswitch: another process is rebuilding the index"


@pytest.mark.parametrize("words", ["index rebuild", "index verify", "index verify --json"])
@pytest.mark.parametrize("setting", AWAY)
def test_a_store_that_is_away_is_named_in_one_line(
    installation: Installation, typed: Typed, monkeypatch: pytest.MonkeyPatch, words: str, setting: str
) -> None:
    installation.load_demo()
    value, complaint = AWAY[setting]
    monkeypatch.setenv(setting, value)
    told = typed(*words.split())
    assert (told.status, told.out) == (1, "")
    assert told.complaint.startswith(f"hookswitch: {complaint}")


@pytest.mark.parametrize("verb", ["rebuild", "verify"])
def test_a_person_at_a_terminal_sees_how_far_it_is(
    installation: Installation, typed: Typed, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    installation.load_demo()
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    assert typed("index", verb).status == 0
    shown = terminal.getvalue()
    assert {"rebuild": "rebuilding", "verify": "comparing"}[verb] in shown
    assert "━" in shown


def test_nothing_is_counted_for_nobody(
    installation: Installation, typed: Typed, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_session: object) -> int:
        raise AssertionError("counting a million numbers takes its time")

    monkeypatch.setattr(index, "count_numbers", refuse)
    assert typed("index", "rebuild").status == 0
