"""`hookswitch numbers buy`: exactly the numbers asked for, set up and held; nothing without --apply."""

import threading
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Table, update
from werkzeug.wrappers import Request

from models.campaign import Campaign
from models.number_order import OrderStatus, Purchase, PurchaseStep
from routing.numbers import PhoneNumber
from scripts.buying import AT_ONCE
from scripts.number_keeping import NumberKeeper
from scripts.settings import environment, load
from tests.builders import a_number
from tests.scripts.conftest import Typed
from tests.scripts.installation import Installation
from tests.scripts.numbers_at_hand import (
    a_campaign_to_buy_for,
    held,
    index_differences,
    orders,
    purchases,
    some_numbers,
)
from tests.services.twilio_account import busy, late, problem, saying
from tests.services.twilio_numbers import Trouble, TwilioNumbersServer
from tests.webhooks.switchboard import TOKEN
from webhooks.carriers import twilio_http

SELLING = r"/IncomingPhoneNumbers\.json"
PURCHASES: Table = Purchase.__table__  # type: ignore[assignment]  # declared as FromClause
SETTING_UP = r"/IncomingPhoneNumbers/PN"


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long for an answer, nor between two tries."""
    monkeypatch.setattr(twilio_http, "TIMEOUT", 0.5)
    monkeypatch.setattr("scripts.purchasing._PAUSE", 0.0)
    monkeypatch.setattr(twilio_http, "_FIRST_PAUSE", 0.0)


@pytest.fixture
def campaign(installation: Installation) -> int:
    return a_campaign_to_buy_for(installation)


def buying(campaign: int, *more: str) -> tuple[str, ...]:
    return ("numbers", "buy", "--campaign", str(campaign), *more)


def test_a_plan_shows_price_names_and_addresses_and_makes_no_writing_request(
    installation: Installation, shop: TwilioNumbersServer, typed: Typed, campaign: int
) -> None:
    shop.sell(*some_numbers(5))
    told = typed(*buying(campaign, "--quantity", "3", "--name", "Leaflet {n}"))
    assert (told.status, told.err) == (0, "")
    assert f"would buy 3 for campaign {campaign}: 3.45 USD a month" in told.out
    assert "+14155551002     Leaflet 3" in told.out
    assert "http://127.0.0.1:8000/webhooks/twilio/voice" in told.out
    plan = typed(*buying(campaign, "--quantity", "3", "--json")).json
    assert (plan["applied"], plan["price"], len(plan["candidates"])) == (False, "1.15", 3)
    assert (shop.writes, shop.numbers, orders(installation)) == ([], [], [])


def test_numbers_are_bought_set_up_held_and_routed(
    installation: Installation, shop: TwilioNumbersServer, typed: Typed, campaign: int
) -> None:
    shop.sell(*some_numbers(5))
    told = typed(*buying(campaign, "--quantity", "3", "--name", "Leaflet {n}", "--apply"))
    assert (told.status, told.err) == (0, "")
    assert "is complete: 3 numbers bought, set up and held" in told.out
    assert sorted(held(installation)) == shop.numbers
    assert sorted(n.name for n in held(installation).values()) == ["Leaflet 1", "Leaflet 2", "Leaflet 3"]
    for record in shop.owned.values():
        number = held(installation)[record["phone_number"]]
        assert record["voice_url"].startswith("http://127.0.0.1:8000/webhooks/twilio/voice#")
        assert record["voice_fallback_url"] == "http://127.0.0.1:8000/webhooks/twilio/fallback"
        assert record["status_callback"] == "http://127.0.0.1:8000/webhooks/twilio/status"
        assert (record["friendly_name"], record["sid"]) == (number.name, number.carrier_sid)
    assert index_differences(installation) == []


def test_the_same_command_is_the_same_order_and_another_key_another_one(
    shop: TwilioNumbersServer, typed: Typed, campaign: int
) -> None:
    shop.sell(*some_numbers(5))
    words = buying(campaign, "--quantity", "2", "--apply")
    typed(*words)
    assert "was complete already: nothing was bought" in typed(*words).out
    assert len(shop.bought) == 2
    assert typed(*words, "--key", "second", "--json").json["recorded"] == 2
    assert len(shop.bought) == 4


def test_a_number_that_somebody_else_got_makes_room_for_the_next(
    installation: Installation, shop: TwilioNumbersServer, typed: Typed, campaign: int
) -> None:
    first, second, third = some_numbers(3)
    shop.sell(first, second, third)
    shop.gone.add(first)
    told = typed(*buying(campaign, "--quantity", "2", "--apply"))
    assert told.status == 0
    assert "1 others were not to be had" in told.out
    assert sorted(held(installation)) == shop.numbers == [second, third]


@pytest.mark.parametrize(
    "lost",
    [
        pytest.param(lambda: late(1.0), id="time-out"),
        pytest.param(lambda: busy(503), id="503"),
        pytest.param(lambda: saying(b"<html>Bad gateway", 502), id="502"),
        pytest.param(lambda: saying(b"", 200), id="no JSON"),
    ],
)
@pytest.mark.parametrize("after", [True, False], ids=["after it was sold", "before"])
def test_a_purchase_without_an_answer_is_looked_for_before_anything_is_tried_again(  # noqa: PLR0917 - fixtures and cases
    installation: Installation,
    shop: TwilioNumbersServer,
    typed: Typed,
    campaign: int,
    lost: Any,
    after: bool,  # noqa: FBT001
) -> None:
    shop.sell(*some_numbers(4))
    shop.troubles.append(Trouble("POST", SELLING, lost(), after=after))
    told = typed(*buying(campaign, "--apply"))
    assert (told.status, told.err) == (0, "")
    assert sorted(held(installation)) == shop.numbers == shop.bought == ["+14155551000"]


def test_a_sold_number_that_is_not_in_the_list_yet_is_looked_for_again(
    installation: Installation, shop: TwilioNumbersServer, typed: Typed, campaign: int
) -> None:
    shop.sell(*some_numbers(4))
    empty = saying(b'{"incoming_phone_numbers": [], "next_page_uri": null}')
    shop.troubles += [
        Trouble("POST", SELLING, busy(503), after=True),
        Trouble("GET", r"PhoneNumber=", empty),
        Trouble("GET", r"PhoneNumber=", empty),
    ]
    assert typed(*buying(campaign, "--apply")).status == 0
    assert sorted(held(installation)) == shop.numbers == ["+14155551000"]


def test_what_was_given_up_and_turns_out_to_be_ours_takes_its_place(
    installation: Installation, shop: TwilioNumbersServer, typed: Typed, campaign: int
) -> None:
    shop.sell("+14155551000")
    empty = saying(b'{"incoming_phone_numbers": [], "next_page_uri": null}')
    shop.troubles += [
        Trouble("POST", SELLING, busy(503), after=True),
        *[Trouble("GET", r"PhoneNumber=", empty) for _ in range(4)],
    ]
    assert typed(*buying(campaign, "--apply")).status == 0
    assert [p.step for p in purchases(installation)] == [PurchaseStep.FAILED, PurchaseStep.RECORDED]
    assert sorted(held(installation)) == shop.numbers == shop.bought == ["+14155551000"]


def test_a_busy_carrier_is_asked_again_and_not_for_ever(
    installation: Installation, shop: TwilioNumbersServer, typed: Typed, campaign: int
) -> None:
    shop.sell(*some_numbers(2))
    shop.troubles += [Trouble("POST", SELLING, busy(429)) for _ in range(3)]
    assert typed(*buying(campaign, "--apply")).status == 0
    shop.troubles += [Trouble("POST", SELLING, busy(429)) for _ in range(100)]
    told = typed(*buying(campaign, "--apply", "--key", "2"))
    assert told.status == 1
    assert "has 0 of 1 numbers: the carrier answers 429" in told.complaint
    assert "the same command goes on" in told.complaint
    asked = 100 - len(shop.troubles)
    assert asked == twilio_http.TRIES * 4
    shop.troubles.clear()
    assert typed(*buying(campaign, "--apply", "--key", "2")).status == 0
    assert len(shop.bought) == 2


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (21631, "as address SID"),
        (21649, "as bundle SID"),
        (21404, "upgrade the account"),
        (29999, "twilio.com/docs/api/errors (its code 29999)"),
    ],
)
def test_what_is_missing_is_said_plainly(  # noqa: PLR0917 - fixtures and cases
    installation: Installation, shop: TwilioNumbersServer, typed: Typed, campaign: int, code: int, told: str
) -> None:
    shop.sell(*some_numbers(3))
    shop.refuses = dict.fromkeys(shop.market, code)
    outcome = typed(*buying(campaign, "--quantity", "2", "--apply"))
    assert outcome.status == 1
    assert told in outcome.complaint
    assert held(installation) == {}


def test_an_address_is_handed_on(shop: TwilioNumbersServer, typed: Typed, campaign: int) -> None:
    shop.sell(*some_numbers(1))
    words = buying(campaign, "--address-sid", "AD1", "--bundle-sid", "BU1", "--apply")
    assert typed(*words).status == 0
    (record,) = shop.owned.values()
    assert (record["address_sid"], record["bundle_sid"]) == ("AD1", "BU1")


def test_a_trial_account_is_not_taken_for_a_wrong_token(
    shop: TwilioNumbersServer, typed: Typed, campaign: int
) -> None:
    shop.sell(*some_numbers(1))
    shop.troubles.append(Trouble("POST", SELLING, lambda _request: problem(403, 10002, "trial")))
    assert "trial account" in typed(*buying(campaign, "--apply")).complaint


def test_a_number_that_does_not_stay_as_it_was_set_is_not_called_set_up(
    installation: Installation, shop: TwilioNumbersServer, typed: Typed, campaign: int
) -> None:
    shop.sell(*some_numbers(1))

    def divert(_request: str) -> None:
        for record in shop.owned.values():
            record["trunk_sid"] = "TK1"

    shop.after = divert
    told = typed(*buying(campaign, "--apply"))
    assert told.status == 1
    assert "does not keep what we set (application or trunk)" in told.complaint
    assert (held(installation), purchases(installation)[0].step) == ({}, PurchaseStep.BOUGHT)
    shop.after = lambda _request: None
    assert typed(*buying(campaign, "--apply")).status == 0
    assert next(iter(shop.owned.values()))["trunk_sid"] == ""


def test_an_order_that_fell_short_goes_on_when_there_are_more(
    installation: Installation, shop: TwilioNumbersServer, typed: Typed, campaign: int
) -> None:
    shop.sell(*some_numbers(2))
    words = buying(campaign, "--quantity", "3", "--apply")
    told = typed(*words)
    assert told.status == 1
    assert "the carrier has no more such numbers: 2 of 3" in told.complaint
    assert orders(installation)[0].status is OrderStatus.OPEN
    shop.sell("+14155559999")
    assert typed(*words).status == 0
    assert sorted(held(installation)) == shop.numbers == sorted(shop.bought)
    assert len(shop.bought) == 3


def test_numbers_may_be_named(
    installation: Installation, shop: TwilioNumbersServer, typed: Typed, campaign: int
) -> None:
    shop.sell(*some_numbers(3))
    assert typed(*buying(campaign, "--number", "+14155551001", "--apply")).status == 0
    assert shop.bought == ["+14155551001"]
    told = typed(*buying(campaign, "--number", "+14155551001", "--number", "+14155557777", "--apply"))
    assert told.status == 1
    assert "+1415•••1001: held here already; +1415•••7777: somebody else was faster" in told.complaint


def test_a_number_that_the_account_got_by_another_way_is_not_taken_for_ours(
    installation: Installation, shop: TwilioNumbersServer, typed: Typed, campaign: int
) -> None:
    shop.own("+14155551001")
    told = typed(*buying(campaign, "--number", "+14155551001", "--apply"))
    assert told.status == 1
    assert held(installation) == {}


def test_no_more_than_eight_requests_are_made_at_once(
    installation: Installation, shop: TwilioNumbersServer, typed: Typed, campaign: int
) -> None:
    shop.sell(*some_numbers(30))
    shop.before = lambda _request: time.sleep(0.01)
    assert typed(*buying(campaign, "--quantity", "20", "--apply")).status == 0
    assert len(shop.bought) == len(held(installation)) == 20
    assert 2 <= shop.busiest <= AT_ONCE


def test_a_campaign_that_is_archived_meanwhile_does_not_lose_the_number(
    installation: Installation, shop: TwilioNumbersServer, typed: Typed, campaign: int
) -> None:
    shop.sell(*some_numbers(1))

    def archive(_request: Request) -> None:
        with installation.database.session() as session:
            session.get_one(Campaign, campaign).archived_at = datetime.now(UTC)

    shop.troubles.append(Trouble("POST", SETTING_UP, archive, after=True))
    told = typed(*buying(campaign, "--apply"))
    assert told.status == 0
    assert "it is on no campaign" in told.out
    (number,) = held(installation).values()
    assert number.campaign_id is None


def test_a_number_that_was_imported_meanwhile_is_left_as_it_is(
    installation: Installation, shop: TwilioNumbersServer, typed: Typed, campaign: int
) -> None:
    shop.sell(*some_numbers(1))

    def hold(_request: Request) -> None:
        with installation.database.session() as session:
            a_number(session, PhoneNumber("+14155551000"), session.get_one(Campaign, campaign), name="Kept")

    shop.troubles.append(Trouble("POST", SETTING_UP, hold, after=True))
    assert typed(*buying(campaign, "--apply")).status == 0
    assert [number.name for number in held(installation).values()] == ["Kept"]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--destination", "+19005550100"), "destination is a premium-rate number"),
        (("--area-code", "x"), "area code an area code is 2 to 5 digits"),
        (("--contains", "4"), "contains 2 to 16 digits"),
        (("--country", "USA"), "country a country is two letters"),
        (("--number", "+14155551000", "--region", "CA"), "region does not go with numbers that are named"),
        (("--number", "+14155551000", "--quantity", "2"), "quantity is as many as there are numbers"),
    ],
)
def test_an_order_that_is_wrong_is_refused_before_the_carrier_is_asked(
    shop: TwilioNumbersServer, typed: Typed, campaign: int, more: tuple[str, ...], told: str
) -> None:
    outcome = typed(*buying(campaign, *more, "--apply"))
    assert outcome.status == 1
    assert told in outcome.complaint
    assert shop.requests == []


def test_numbers_without_anybody_to_ring_are_not_bought(
    installation: Installation, shop: TwilioNumbersServer, typed: Typed
) -> None:
    silent = a_campaign_to_buy_for(installation, destination=None)
    assert "destination is mandatory" in typed(*buying(silent, "--apply")).complaint
    assert "there is no such campaign" in typed(*buying(silent + 1, "--apply")).complaint
    assert shop.writes == []


def test_a_second_run_waits_for_the_first_and_buys_nothing(
    installation: Installation, shop: TwilioNumbersServer, typed: Typed, campaign: int
) -> None:
    shop.sell(*some_numbers(5))
    words = buying(campaign, "--quantity", "2", "--apply")
    others: list[threading.Thread] = []
    told: list[int] = []

    def again(request: str) -> None:
        if request.startswith("POST") and not others:
            from scripts.cli import hookswitch, run

            others.append(threading.Thread(target=lambda: told.append(run(hookswitch, words))))
            others[0].start()
            time.sleep(0.3)

    shop.before = again
    assert typed(*words).status == 0
    others[0].join()
    assert told == [0]
    assert sorted(held(installation)) == shop.numbers == sorted(shop.bought)
    assert len(shop.bought) == 2


def test_a_worker_settles_what_was_begun_and_left_and_buys_nothing_more(
    installation: Installation, shop: TwilioNumbersServer, typed: Typed, campaign: int
) -> None:
    shop.sell(*some_numbers(5))
    shop.troubles += [Trouble("POST", SETTING_UP, busy(503)) for _ in range(2)]
    assert typed(*buying(campaign, "--quantity", "3", "--apply")).status == 1
    left = len(shop.bought)
    keeper = NumberKeeper(load(environment()), installation.database, publish=lambda: None)
    keeper.keep()
    assert len(held(installation)) < left  # whoever gave the order may still go on himself
    with installation.database.session() as session:
        session.execute(update(PURCHASES).values(created_at=datetime(2026, 1, 1, tzinfo=UTC)))
    NumberKeeper(load(environment()), installation.database, publish=lambda: None).keep()
    assert sorted(held(installation)) == shop.numbers
    assert len(shop.bought) == left
    assert typed(*buying(campaign, "--quantity", "3", "--apply")).status == 0
    assert len(shop.bought) == 3


def test_whole_numbers_and_tokens_are_in_no_complaint(
    shop: TwilioNumbersServer, typed: Typed, campaign: int
) -> None:
    shop.sell("+14155551000")
    shop.refuses = {"+14155551000": 21631}
    told = typed(*buying(campaign, "--number", "+14155551000", "--apply"))
    assert told.status == 1
    assert "+14155551000" not in told.err
    assert TOKEN not in told.out + told.err
