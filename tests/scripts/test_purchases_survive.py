"""A purchase is never made twice and never lost: killed at every step, run again, run twice at once."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from sqlalchemy import Table, update

from models.number_order import NumberOrder, OrderStatus, PurchaseStep
from routing.index.writer import IndexWriter
from scripts.publication import Publication
from tests.scripts.installation import Installation
from tests.scripts.numbers_at_hand import (
    a_campaign_to_buy_for,
    held,
    index_differences,
    orders,
    purchases,
    some_numbers,
)
from tests.services.mortal import mortal
from tests.services.twilio_numbers import TwilioNumbersServer
from tests.webhooks.switchboard import ACCOUNT, TOKEN

KILLED = -9
_ORDERS: Table = NumberOrder.__table__  # type: ignore[assignment]  # declared as FromClause


def a_minute_passes(installation: Installation) -> None:
    """The order of a process that died may be taken over."""
    with installation.database.session() as session:
        session.execute(update(_ORDERS).values(worked_until=datetime(2026, 1, 1, tzinfo=UTC)))


def publish(installation: Installation) -> None:
    """What the worker does for whoever died before he could."""
    Publication(installation.database, IndexWriter(installation.redis, installation.layout)).publish()


def test_a_kill_at_any_step_leaves_exactly_the_numbers_that_were_asked_for(
    installation: Installation, shop: TwilioNumbersServer
) -> None:
    campaign = a_campaign_to_buy_for(installation)
    steps_at_death: set[PurchaseStep] = set()
    with mortal() as runner:
        moment, status = 0, KILLED
        while status == KILLED:
            moment += 1
            area_code = 200 + moment
            shop.sell(*some_numbers(3, area_code))
            words = (
                *("numbers", "buy", "--campaign", str(campaign), "--quantity", "2"),
                *("--country", "US", "--area-code", str(area_code), "--name", "Leaflet {n}", "--apply"),
            )
            status = runner.run(words, dies_at=moment)
            steps_at_death |= {purchase.step for purchase in purchases(installation)[2 * moment - 2 :]}
            a_minute_passes(installation)
            assert runner.run(words) == 0
            assert len(shop.bought) == len(set(shop.bought)) == 2 * moment, f"moment {moment}"
            assert shop.numbers == sorted(held(installation)), f"moment {moment}"
    assert status == 0
    assert moment > 20
    assert steps_at_death == {*PurchaseStep} - {PurchaseStep.FAILED}
    assert {order.status for order in orders(installation)} == {OrderStatus.COMPLETE}
    assert all(number.campaign_id == campaign for number in held(installation).values())
    named = sorted(record["friendly_name"] for record in shop.owned.values())
    assert named == ["Leaflet 1"] * moment + ["Leaflet 2"] * moment
    publish(installation)
    assert index_differences(installation) == []


def at_once(commands: Sequence[Sequence[str]]) -> list[int]:
    """Run commands at the same time, each in a process of its own."""
    with mortal() as one, mortal() as other, ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda runner, words: runner.run(words), (one, other), commands))


def test_two_runs_of_the_same_order_at_once_buy_it_once(
    on_postgresql: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = a_campaign_to_buy_for(on_postgresql)
    words = ("numbers", "buy", "--campaign", str(campaign), "--quantity", "6", "--apply")
    with TwilioNumbersServer(ACCOUNT, TOKEN) as shop:
        monkeypatch.setenv("TWILIO_API_BASE_URL", shop.origin)
        shop.sell(*some_numbers(20))
        assert at_once([words, words]) == [0, 0]
    assert len(shop.bought) == 6
    assert shop.numbers == sorted(held(on_postgresql))
    publish(on_postgresql)
    assert index_differences(on_postgresql) == []


def test_two_orders_at_once_get_what_each_wants_from_the_same_offers(
    on_postgresql: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = a_campaign_to_buy_for(on_postgresql)
    words = ("numbers", "buy", "--campaign", str(campaign), "--quantity", "5", "--apply")
    with TwilioNumbersServer(ACCOUNT, TOKEN) as shop:
        monkeypatch.setenv("TWILIO_API_BASE_URL", shop.origin)
        shop.sell(*some_numbers(10))
        assert at_once([words, (*words, "--key", "other")]) == [0, 0]
    assert len(shop.bought) == 10
    assert shop.numbers == sorted(held(on_postgresql))
    assert {order.status for order in orders(on_postgresql)} == {OrderStatus.COMPLETE}


def test_two_processes_that_believe_the_order_theirs_buy_it_once(
    on_postgresql: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As after a process that was stopped for longer than its lease, and goes on."""
    campaign = a_campaign_to_buy_for(on_postgresql)
    words = ("numbers", "buy", "--campaign", str(campaign), "--quantity", "4", "--apply")
    with TwilioNumbersServer(ACCOUNT, TOKEN) as shop:
        monkeypatch.setenv("TWILIO_API_BASE_URL", shop.origin)
        shop.sell(*some_numbers(20))
        shop.before = lambda _request: a_minute_passes(on_postgresql)
        assert set(at_once([words, words])) <= {0, 1}
        shop.before = lambda _request: None
        assert at_once([words, words]) == [0, 0]
    assert len(shop.bought) == 4
    assert shop.numbers == sorted(held(on_postgresql))
