"""`hookswitch numbers reconcile`: every way in which carrier, database and index can disagree."""

import tracemalloc
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from models.campaign import Campaign
from routing.index.audit import IndexAudit
from routing.index.writer import IndexWriter
from routing.numbers import PhoneNumber
from scripts.discrepancies import Kind
from scripts.number_market import addresses_of
from scripts.number_reconciling import Mending, NumberReconciler
from scripts.settings import environment, load
from tests.builders import TRACKING, a_campaign, a_number
from tests.scripts.conftest import Typed
from tests.scripts.installation import Installation
from tests.scripts.numbers_at_hand import a_campaign_to_buy_for, held, index_differences
from tests.services.twilio_numbers import TwilioNumbersServer
from webhooks.carriers import twilio_numbers
from webhooks.carriers.carrier_number import OwnedNumber, VoiceAddresses

MINE = {
    "voice_url": "http://127.0.0.1:8000/webhooks/twilio/voice#rt=5000",
    "voice_fallback_url": "http://127.0.0.1:8000/webhooks/twilio/fallback",
    "status_callback": "http://127.0.0.1:8000/webhooks/twilio/status",
}


@pytest.fixture
def campaign(installation: Installation) -> int:
    return a_campaign_to_buy_for(installation)


def hold(installation: Installation, campaign: int | None, number: PhoneNumber, sid: str | None) -> None:
    with installation.database.session() as session:
        there = None if campaign is None else session.get_one(Campaign, campaign)
        a_number(session, number, there, carrier_sid=sid)
    installation.rebuild_index()


def kinds(typed: Typed, *more: str) -> list[tuple[str, bool]]:
    told = typed("numbers", "reconcile", "--json", *more)
    return [(line["kind"], line["mended"]) for line in told.json_lines]


def test_all_is_well(
    installation: Installation, shop: TwilioNumbersServer, typed: Typed, campaign: int
) -> None:
    hold(installation, campaign, TRACKING, shop.own(TRACKING.e164, **MINE))
    told = typed("numbers", "reconcile")
    assert (told.status, told.out) == (0, "carrier, database and index agree\n")


@pytest.mark.parametrize("wrong", [*MINE, "voice_method", "voice_fallback_method", "status_callback_method"])
def test_a_wrong_address_is_found_and_mended(
    installation: Installation, shop: TwilioNumbersServer, typed: Typed, campaign: int, wrong: str
) -> None:
    sid = shop.own(TRACKING.e164, **MINE | {wrong: "GET" if "method" in wrong else "https://old.example.com"})
    hold(installation, campaign, TRACKING, sid)
    assert typed("numbers", "reconcile").status == 1
    assert shop.writes == []
    assert kinds(typed, "--apply") == [(Kind.WRONG_ADDRESS, True)]
    assert typed("numbers", "reconcile").status == 0


@pytest.mark.parametrize("diverted", ["voice_application_sid", "trunk_sid"])
def test_what_makes_the_voice_address_ignored_is_taken_away_only_when_told(
    installation: Installation, shop: TwilioNumbersServer, typed: Typed, campaign: int, diverted: str
) -> None:
    sid = shop.own(TRACKING.e164, **MINE | {diverted: "XX1"})
    hold(installation, campaign, TRACKING, sid)
    told = typed("numbers", "reconcile", "--apply")
    assert told.status == 1
    assert "its voice address is ignored" in told.out
    assert shop.owned[sid][diverted] == "XX1"
    assert kinds(typed, "--apply", "--detach") == [(Kind.DIVERTED, True)]
    assert shop.owned[sid][diverted] == ""


def test_what_the_carrier_does_not_keep_is_not_called_mended(
    installation: Installation,
    shop: TwilioNumbersServer,
    typed: Typed,
    campaign: int,
) -> None:
    sid = shop.own(TRACKING.e164, **MINE | {"voice_url": "https://old.example.com"})
    hold(installation, campaign, TRACKING, sid)
    shop.after = lambda _request: shop.owned[sid].update(voice_url="https://old.example.com")
    assert kinds(typed, "--apply") == [(Kind.WRONG_ADDRESS, False)]


def test_a_number_that_the_carrier_does_not_have_is_routed_in_vain(
    installation: Installation, shop: TwilioNumbersServer, typed: Typed, campaign: int
) -> None:
    hold(installation, campaign, TRACKING, None)
    told = typed("numbers", "reconcile", "--apply")
    assert told.status == 1
    assert f"{TRACKING.e164}     routed, not owned" in told.out


def test_what_is_paid_for_nothing_is_told_and_is_no_failure(
    installation: Installation, shop: TwilioNumbersServer, typed: Typed, campaign: int
) -> None:
    shop.own("+15005550190", **MINE)
    hold(installation, None, PhoneNumber("+15005550191"), shop.own("+15005550191", **MINE))
    hold(installation, campaign, PhoneNumber("+15005550192"), shop.own("+15005550192", **MINE))
    hold(installation, campaign, PhoneNumber("+15005550193"), shop.own("+15005550193", **MINE))
    with installation.database.session() as session:
        over = a_campaign(session, archived_at=datetime.now(UTC))
        sid = shop.own("+15005550194", **MINE)
        a_number(session, PhoneNumber("+15005550194"), over, carrier_sid=sid)
    typed("numbers", "release", "+15005550193", "--apply", "--yes", "--even-in-use")
    for number in held(installation).values():
        if number.number.e164 == "+15005550192":
            with installation.database.session() as session:
                session.merge(number).release(datetime.now(UTC))
    installation.rebuild_index()
    told = typed("numbers", "reconcile")
    assert told.status == 0
    assert [line.split("  ")[0] + "|" + line[17:].split(":")[0] for line in told.out.splitlines()[:4]] == [
        "+15005550190|not ours",
        "+15005550192|paid, released",
        "+15005550191|paid, unused",
        "+15005550194|paid, unused",
    ]


def test_a_number_that_is_hardly_called_may_be_taken_back(
    installation: Installation, shop: TwilioNumbersServer, typed: Typed, campaign: int
) -> None:
    with installation.database.session() as session:
        there = session.get_one(Campaign, campaign)
        sid = shop.own(TRACKING.e164, **MINE)
        number = a_number(session, TRACKING, there, carrier_sid=sid)
        number.created_at = datetime.now(UTC) - timedelta(days=31)
    installation.rebuild_index()
    told = typed("numbers", "reconcile")
    assert told.status == 0
    assert "may be taken back: 0 calls of 12 s or more in 30 days" in told.out


def test_a_sid_that_is_not_known_or_not_right_is_written_down(
    installation: Installation, shop: TwilioNumbersServer, typed: Typed, campaign: int
) -> None:
    sid = shop.own(TRACKING.e164, **MINE)
    hold(installation, campaign, TRACKING, None)
    assert kinds(typed) == [(Kind.OTHER_SID, False)]
    assert kinds(typed, "--apply") == [(Kind.OTHER_SID, True)]
    assert held(installation)[TRACKING.e164].carrier_sid == sid
    assert typed("numbers", "reconcile").out == "carrier, database and index agree\n"


def test_an_index_that_differs_is_written_again(
    installation: Installation, shop: TwilioNumbersServer, typed: Typed, campaign: int
) -> None:
    hold(installation, campaign, TRACKING, shop.own(TRACKING.e164, **MINE))
    place = installation.layout.place_of(TRACKING)
    live = installation.redis.get(installation.layout.live(0))
    key = f"{installation.layout.prefix(0)}{int(live or b'')}:n:{place.bucket}"
    installation.redis.hdel(key, place.field)
    assert kinds(typed) == [(Kind.INDEX, False)]
    assert kinds(typed, "--apply") == [(Kind.INDEX, True)]
    assert index_differences(installation) == []


def test_a_list_of_several_pages_is_compared_whole(
    installation: Installation,
    shop: TwilioNumbersServer,
    typed: Typed,
    campaign: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(twilio_numbers, "_PAGE", 3)
    for serial in range(10):
        number = PhoneNumber(f"+1500555{serial:04d}")
        with installation.database.session() as session:
            sid = shop.own(number.e164, **MINE)
            a_number(session, number, session.get_one(Campaign, campaign), carrier_sid=sid)
    installation.rebuild_index()
    assert typed("numbers", "reconcile").out == "carrier, database and index agree\n"
    assert sum("IncomingPhoneNumbers.json" in request for request in shop.requests) == 4


class ManyNumbers:
    """A carrier with so many numbers that nobody here holds; its pages are made as they are read."""

    name = "twilio"

    def __init__(self, count: int) -> None:
        self._count = count

    def all(self) -> Iterator[Sequence[OwnedNumber]]:
        addresses = VoiceAddresses("https://a.example.com", "https://b.example.com", "https://c.example.com")
        for start in range(0, self._count, 1000):
            yield [
                OwnedNumber(PhoneNumber(f"+1{4150000000 + n}"), f"PN{n:032x}", "Leaflet", addresses)
                for n in range(start, start + 1000)
            ]

    def configure(self, *_: object, **__: object) -> OwnedNumber | None:
        raise AssertionError("nothing is to be changed")


def peak_of_comparing(installation: Installation, count: int) -> int:
    reconciler = NumberReconciler(
        ManyNumbers(count),
        installation.database,
        IndexAudit(installation.redis, installation.layout),
        IndexWriter(installation.redis, installation.layout),
        addresses_of(load(environment())),
        now=datetime.now(UTC),
        mending=Mending(),
    )
    tracemalloc.start()
    try:
        assert sum(1 for _ in reconciler.run()) == count
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_any_number_of_numbers_takes_the_same_memory(installation: Installation) -> None:
    peak_of_comparing(installation, 1000)
    few, many = peak_of_comparing(installation, 2000), peak_of_comparing(installation, 8000)
    assert many < 1.3 * few
