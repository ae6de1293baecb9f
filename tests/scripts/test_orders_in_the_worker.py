"""Orders of page and API: a worker carries them out, and ends with exactly what was ordered."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Table, update
from structlog.testing import capture_logs

from admin import order_progress
from admin.access.actor import on_the_server
from models.campaign import Campaign
from models.number_order import NumberOrder, OrderState, OrderStatus, PurchaseStep
from scripts.number_keeping import NumberKeeper
from scripts.settings import environment, load
from tests.scripts.conftest import Typed
from tests.scripts.installation import Installation
from tests.scripts.numbers_at_hand import (
    a_campaign_to_buy_for,
    an_order,
    held,
    orders,
    purchases,
    some_numbers,
)
from tests.services.mortal import A_ROUND, mortal
from tests.services.twilio_account import busy, problem
from tests.services.twilio_numbers import Trouble, TwilioNumbersServer
from tests.webhooks.switchboard import ACCOUNT, TOKEN
from webhooks.carriers import twilio_http

KILLED = -9
SELLING, SETTING_UP = r"/IncomingPhoneNumbers\.json", r"/IncomingPhoneNumbers/PN"
_ORDERS: Table = NumberOrder.__table__  # type: ignore[assignment]  # declared as FromClause


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long between two tries."""
    monkeypatch.setattr("scripts.purchasing._PAUSE", 0.0)
    monkeypatch.setattr(twilio_http, "_FIRST_PAUSE", 0.0)


@pytest.fixture
def campaign(installation: Installation) -> int:
    return a_campaign_to_buy_for(installation)


class _Ended(Exception):
    """The worker is told to stop."""


def one_round(installation: Installation, stops_after: int | None = None) -> None:
    """What a worker does once a second; `stops_after` so many pauses it is told to stop."""
    left = [10_000 if stops_after is None else stops_after]

    def pause(_seconds: float) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise _Ended

    keeper = NumberKeeper(load(environment()), installation.database, publish=lambda: None, pause=pause)
    with capture_logs():
        keeper.keep()


def time_passes(installation: Installation) -> None:
    """Long enough for whoever died with an order in hand, and for the next try."""
    past = datetime(2026, 1, 1, tzinfo=UTC)
    with installation.database.session() as session:
        session.execute(update(_ORDERS).values(worked_until=past))
        session.execute(update(_ORDERS).where(_ORDERS.c.next_at.is_not(None)).values(next_at=past))


def the_order(installation: Installation) -> NumberOrder:
    return orders(installation)[-1]


def state(installation: Installation) -> OrderState:
    return the_order(installation).state(datetime.now(UTC))


def test_it_buys_sets_up_and_holds_what_was_ordered(
    installation: Installation, shop: TwilioNumbersServer, campaign: int
) -> None:
    shop.sell(*some_numbers(5))
    an_order(installation, campaign, quantity=3, name="Leaflet {n}")
    one_round(installation)
    assert sorted(held(installation)) == shop.numbers == sorted(shop.bought)
    assert sorted(n.name for n in held(installation).values()) == ["Leaflet 1", "Leaflet 2", "Leaflet 3"]
    assert {number.campaign_id for number in held(installation).values()} == {campaign}
    assert (state(installation), the_order(installation).next_at) == (OrderState.COMPLETE, None)
    one_round(installation)
    assert len(shop.bought) == 3


def test_an_order_of_a_command_is_left_to_whoever_typed_it(
    installation: Installation, shop: TwilioNumbersServer, typed: Typed, campaign: int
) -> None:
    shop.sell("+14155551000")
    assert typed("numbers", "buy", "--campaign", str(campaign), "--quantity", "2", "--apply").status == 1
    shop.sell("+14155551001")
    one_round(installation)
    assert (len(shop.bought), state(installation)) == (1, OrderState.STOPPED)


def test_a_kill_at_any_step_leaves_exactly_the_numbers_that_were_ordered(
    installation: Installation, shop: TwilioNumbersServer, campaign: int
) -> None:
    steps_at_death: set[PurchaseStep] = set()
    with mortal() as worker:
        moment, status = 0, KILLED
        while status == KILLED:
            moment += 1
            area_code = str(200 + moment)
            shop.sell(*some_numbers(2, int(area_code)))
            an_order(installation, campaign, area_code=area_code)
            status = worker.run(A_ROUND, dies_at=moment)
            steps_at_death |= {purchase.step for purchase in purchases(installation)[moment - 1 :]}
            time_passes(installation)
            one_round(installation)
            assert len(shop.bought) == len(set(shop.bought)) == moment, f"moment {moment}"
            assert shop.numbers == sorted(held(installation)), f"moment {moment}"
    assert status == 0
    assert moment > 10
    assert steps_at_death == {*PurchaseStep} - {PurchaseStep.FAILED}
    assert {order.status for order in orders(installation)} == {OrderStatus.COMPLETE}


def test_two_workers_at_once_buy_what_was_ordered_once(
    on_postgresql: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaign = a_campaign_to_buy_for(on_postgresql)
    with TwilioNumbersServer(ACCOUNT, TOKEN) as shop:
        monkeypatch.setenv("TWILIO_API_BASE_URL", shop.origin)
        shop.sell(*some_numbers(20))
        for key in ("first", "second"):
            an_order(on_postgresql, campaign, quantity=2, key=key)
        # As two that were stopped for longer than a lease: both believe the orders theirs.
        shop.before = lambda _request: time_passes(on_postgresql)
        with mortal() as one, mortal() as other, ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda worker: worker.run(A_ROUND), (one, other)))
            shop.before = lambda _request: None
            time_passes(on_postgresql)
            assert one.run(A_ROUND) == 0
    assert len(shop.bought) == len(set(shop.bought)) == 4
    assert shop.numbers == sorted(held(on_postgresql))
    assert {order.status for order in orders(on_postgresql)} == {OrderStatus.COMPLETE}


def test_a_worker_that_is_told_to_stop_leaves_the_rest_to_the_next(
    installation: Installation, shop: TwilioNumbersServer, campaign: int
) -> None:
    shop.sell(*some_numbers(9))
    an_order(installation, campaign, quantity=4)
    with pytest.raises(_Ended):
        one_round(installation, stops_after=2)
    assert 0 < len(shop.bought) < 9
    assert the_order(installation).worker is None
    time_passes(installation)
    one_round(installation)
    assert sorted(held(installation)) == shop.numbers
    assert len(shop.bought) == 4


def test_a_carrier_that_is_away_is_asked_again_later_and_more_and_more_seldom(
    installation: Installation, shop: TwilioNumbersServer, campaign: int
) -> None:
    shop.sell(*some_numbers(3))
    an_order(installation, campaign)
    shop.troubles += [
        Trouble("GET", "AvailablePhoneNumbers", busy(503)) for _ in range(2 * twilio_http.TRIES)
    ]
    for age, longest in ((timedelta(), timedelta(minutes=1)), (timedelta(hours=2), timedelta(minutes=30))):
        with installation.database.session() as session:
            begun = datetime.now(UTC) - age
            session.execute(update(_ORDERS).values(created_at=begun, next_at=begun))
        one_round(installation)
        order = the_order(installation)
        assert order.problem == "the carrier answers 503"
        assert order.next_at is not None
        assert longest * 0.9 < order.next_at - datetime.now(UTC) < longest * 1.1
    assert state(installation) is OrderState.WAITING
    time_passes(installation)
    one_round(installation)
    assert (state(installation), len(shop.bought)) == (OrderState.COMPLETE, 1)


def test_after_days_without_an_answer_somebody_has_to_say_that_it_shall_go_on(
    installation: Installation, shop: TwilioNumbersServer, campaign: int
) -> None:
    an_order(installation, campaign)
    with installation.database.session() as session:
        session.execute(update(_ORDERS).values(created_at=datetime(2026, 1, 1, tzinfo=UTC)))
    shop.troubles += [Trouble("GET", "AvailablePhoneNumbers", busy(503)) for _ in range(twilio_http.TRIES)]
    one_round(installation)
    assert (state(installation), the_order(installation).next_at) == (OrderState.STOPPED, None)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (21631, "wants an address for this number"),
        (21649, "wants a regulatory bundle"),
        (21404, "upgrade the account"),
    ],
)
def test_what_is_missing_stops_the_order_and_is_said(
    installation: Installation, shop: TwilioNumbersServer, campaign: int, code: int, told: str
) -> None:
    shop.sell(*some_numbers(3))
    shop.refuses = dict.fromkeys(shop.market, code)
    an_order(installation, campaign)
    one_round(installation)
    one_round(installation)
    assert state(installation) is OrderState.STOPPED
    assert told in (the_order(installation).problem or "")
    assert held(installation) == {}


def test_credentials_that_are_refused_do_not_keep_the_next_order_waiting_unsaid(
    installation: Installation, shop: TwilioNumbersServer, campaign: int
) -> None:
    shop.sell(*some_numbers(3))
    an_order(installation, campaign)
    an_order(installation, campaign, key="other")
    shop.troubles.append(Trouble("GET", "IncomingPhoneNumbers", lambda _request: problem(401, 20003, "no")))
    one_round(installation)
    first, second = orders(installation)
    assert first.problem == "the carrier refuses the account with its token"
    assert first.state(datetime.now(UTC)) is OrderState.WAITING
    assert second.status is OrderStatus.COMPLETE


def test_a_kind_that_the_carrier_does_not_know_stops_the_order(
    installation: Installation, shop: TwilioNumbersServer, campaign: int
) -> None:
    an_order(installation, campaign, area_code="99")
    one_round(installation)
    assert "knows no such area code" in (the_order(installation).problem or "")
    assert state(installation) is OrderState.STOPPED


def cancel(installation: Installation, order_id: int, campaign: int) -> None:
    with installation.database.session() as session:
        group = session.get_one(Campaign, campaign).group_id
        order_progress.cancel(session, on_the_server(group), order_id, datetime.now(UTC))


def test_what_was_begun_when_an_order_is_cancelled_is_finished_and_nothing_more(
    installation: Installation, shop: TwilioNumbersServer, campaign: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scripts.buying.AT_ONCE", 1)
    shop.sell(*some_numbers(6))
    order_id = an_order(installation, campaign, quantity=5)

    def cancelled(_request: object) -> None:
        cancel(installation, order_id, campaign)

    shop.troubles.append(Trouble("POST", SETTING_UP, cancelled, after=True))
    one_round(installation)
    assert sorted(held(installation)) == shop.numbers
    assert (len(shop.bought), state(installation)) == (1, OrderState.CANCELLED)
    assert the_order(installation).next_at is None


def test_a_cancelled_order_whose_worker_died_is_settled(
    installation: Installation, shop: TwilioNumbersServer, campaign: int
) -> None:
    shop.sell(*some_numbers(6))
    order_id = an_order(installation, campaign, quantity=2)
    shop.troubles += [Trouble("POST", SETTING_UP, busy(503)) for _ in range(2)]
    one_round(installation)
    assert held(installation) == {}
    cancel(installation, order_id, campaign)
    one_round(installation)
    assert sorted(held(installation)) == shop.numbers
    assert (len(shop.bought), the_order(installation).next_at) == (2, None)
