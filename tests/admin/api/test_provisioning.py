"""Numbers from the carrier through the API: found, ordered, followed, cancelled; and given back."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis
from structlog.testing import capture_logs

from models.api_token import Scope
from models.call_log import record
from routing.arrival import Arrival, Source
from routing.numbers import PhoneNumber
from scripts import web_market
from tests.admin.api.integrator import Integrator, Premises
from tests.builders import an_inbound_call, route
from tests.scripts.numbers_at_hand import some_numbers
from tests.services.redis_server import RedisServer
from tests.services.twilio_account import busy, late, problem
from tests.services.twilio_numbers import Trouble, TwilioNumbersServer
from tests.webhooks.switchboard import ACCOUNT, TOKEN

BAKERY = "+14155550190"
SEARCHING = "AvailablePhoneNumbers"


@pytest.fixture
def shop() -> Iterator[TwilioNumbersServer]:
    with TwilioNumbersServer(ACCOUNT, TOKEN) as server:
        server.sell(*some_numbers(5))
        yield server


@pytest.fixture
def selling(
    shop: TwilioNumbersServer,
    sqlite_url: str,
    redis_server: RedisServer,
    redis_client: redis.Redis,
    tmp_path: Path,
) -> Iterator[Premises]:
    """An installation whose carrier can be asked; the index is whole."""
    made = Premises(sqlite_url, redis_client, redis_server.url, tmp_path, shop.origin)
    made.board.rebuild_index()
    yield made
    made.close()


@pytest.fixture
def nora(selling: Premises) -> Integrator:
    """A program of the north's admin that may write."""
    return selling.program_of(selling.people.nora, Scope.WRITE)


@pytest.fixture
def campaign(nora: Integrator) -> int:
    made: int = nora.post("campaigns", {"name": "Leaflet", "destination": BAKERY}).json["id"]
    return made


@pytest.fixture
def asked_quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web_market, "_TIMEOUT", 0.2)
    monkeypatch.setattr(web_market, "_PATIENCE", 0.3)


def test_what_is_on_offer_is_found_with_its_price(nora: Integrator, shop: TwilioNumbersServer) -> None:
    shop.sell("+13035551000")
    found = nora.get("available-numbers?country=us&area_code=415&contains=1001").json
    assert [(o["number"], o["price"], o["currency"]) for o in found["items"]] == [
        ("+14155551001", "1.15", "USD")
    ]
    assert len(nora.get("available-numbers?country=US&limit=2").json["items"]) == 2
    assert shop.writes == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "country"),
        ("country=USA", "country"),
        ("country=US&area_code=4x5", "area_code"),
        ("country=US&kind=pigeon", "kind"),
        ("country=US&limit=1000", "limit"),
        ("country=US&colour=red", "colour"),
    ],
)
def test_a_search_that_cannot_be_made_is_refused(nora: Integrator, query: str, field: str) -> None:
    answer = nora.get(f"available-numbers?{query}")
    assert (answer.status, list(answer.wrong)) == (422, [field])


def test_who_only_reads_does_not_shop(selling: Premises) -> None:
    reader = selling.program_of(selling.people.nora, Scope.READ)
    assert reader.get("available-numbers?country=US").status == 403


def test_an_ordered_number_is_bought_by_a_worker_and_rings(
    selling: Premises, nora: Integrator, shop: TwilioNumbersServer, campaign: int
) -> None:
    wanted = {"campaign_id": campaign, "quantity": 2, "country": "US", "name": "leaflet {n}"}
    plan = nora.post("number-orders/plan", wanted)
    assert (plan.status, plan.json["monthly"], len(plan.json["candidates"])) == (200, "2.30", 2)
    assert (shop.writes, nora.get("number-orders").json["items"]) == ([], [])
    given = nora.post("number-orders", wanted)
    path = f"number-orders/{given.json['id']}"
    assert (given.status, given.json["state"], given.json["purchases"]) == (201, "waiting", [])
    assert given.response.headers["Location"] == f"/api/v1/{path}"
    assert shop.bought == []
    selling.board.look_after_numbers()
    done = nora.get(path).json
    assert (done["state"], done["recorded"], done["next_at"]) == ("complete", 2, None)
    first = nora.get(f"tracking-numbers/{done['purchases'][0]['tracking_number_id']}").json
    assert (first["campaign_id"], first["carrier_sid"]) == (campaign, next(iter(shop.owned)))
    assert selling.board.ring(first["number"]).dialled == BAKERY
    entry = nora.get(f"audit-entries?entity=tracking_number&entity_id={first['id']}").json["items"][0]
    assert (entry["user_id"], entry["via"]) == (selling.people.nora.id, "api")


def test_an_order_that_is_sent_again_is_the_same(
    nora: Integrator, shop: TwilioNumbersServer, selling: Premises, campaign: int
) -> None:
    wanted = {"campaign_id": campaign, "country": "US"}
    once = nora.post("number-orders", wanted, Idempotency_Key="1")
    again = nora.post("number-orders", wanted, Idempotency_Key="1")
    assert again.response.headers["Idempotency-Replayed"] == "true"
    without = nora.post("number-orders", wanted)
    other = nora.post("number-orders", wanted | {"key": "another"})
    assert once.json["id"] == again.json["id"] == without.json["id"] != other.json["id"]
    selling.board.look_after_numbers()
    assert len(shop.bought) == 2


def test_an_order_stops_at_what_is_missing_and_goes_on_when_it_is_there(
    selling: Premises, nora: Integrator, shop: TwilioNumbersServer, campaign: int
) -> None:
    shop.refuses = dict.fromkeys(shop.market, 21631)
    order = nora.post("number-orders", {"campaign_id": campaign, "numbers": ["+14155551001"]}).json["id"]
    selling.board.look_after_numbers()
    stopped = nora.get(f"number-orders/{order}").json
    assert stopped["state"] == "stopped"
    assert "wants an address" in stopped["problem"]
    shop.refuses = {}
    resumed = nora.post(f"number-orders/{order}/resume", {"address_sid": "AD1"})
    assert (resumed.status, resumed.json["state"], resumed.json["problem"]) == (200, "waiting", None)
    selling.board.look_after_numbers()
    assert nora.get(f"number-orders/{order}").json["state"] == "complete"
    assert [record["address_sid"] for record in shop.owned.values()] == ["AD1"]
    assert nora.post(f"number-orders/{order}/resume").status == 409


def test_what_is_cancelled_before_it_began_is_never_bought(
    selling: Premises, nora: Integrator, shop: TwilioNumbersServer, campaign: int
) -> None:
    order = nora.post("number-orders", {"campaign_id": campaign, "country": "US"}).json["id"]
    assert nora.post(f"number-orders/{order}/cancel").json["state"] == "cancelled"
    selling.board.look_after_numbers()
    assert shop.bought == []
    assert nora.post(f"number-orders/{order}/cancel").status == 409


@pytest.mark.parametrize(
    ("trouble", "status", "told"),
    [
        (problem(401, 20003, "no"), 409, "refuses TWILIO_ACCOUNT_SID"),
        (problem(400, 21451, "no"), 409, "knows no such area code"),
        (problem(500, 20500, "no"), 503, "answers 500"),
    ],
)
def test_a_carrier_that_does_not_sell_is_no_fault_of_ours(  # noqa: PLR0917 - fixtures and cases
    nora: Integrator, shop: TwilioNumbersServer, campaign: int, trouble: object, status: int, told: str
) -> None:
    for path in ("available-numbers?country=US", "number-orders/plan"):
        shop.troubles.append(Trouble("GET", SEARCHING, lambda _request: trouble))  # type: ignore[arg-type, return-value]  # a response
        with capture_logs():
            is_plan = path.endswith("plan")
            answer = (
                nora.post(path, {"campaign_id": campaign, "country": "US"}) if is_plan else nora.get(path)
            )
        assert answer.status == status
        assert told in answer.detail


@pytest.mark.parametrize("fault", [late(1.0), busy(503), busy(429, "30")])
def test_nobody_waits_long_for_a_slow_carrier(
    asked_quickly: None, nora: Integrator, shop: TwilioNumbersServer, fault: object
) -> None:
    shop.troubles += [Trouble("GET", SEARCHING, fault) for _ in range(9)]  # type: ignore[arg-type]  # a fault
    began = datetime.now(UTC)
    with capture_logs():
        answer = nora.get("available-numbers?country=US")
    assert (answer.status, answer.response.headers["Retry-After"]) == (503, "60")
    assert datetime.now(UTC) - began < timedelta(seconds=5)


def test_without_a_carrier_it_is_said_what_is_missing(premises: Premises, ada: Integrator) -> None:
    campaign = ada.post("campaigns", {"name": "Leaflet", "destination": BAKERY}).json["id"]
    wanted = {"campaign_id": campaign, "country": "US"}
    for answer in (
        ada.get("available-numbers?country=US"),
        ada.post("number-orders/plan", wanted),
        ada.post("number-orders", wanted),
    ):
        assert answer.status == 409
        assert "set PUBLIC_BASE_URL" in answer.detail
    assert ada.get("number-orders").json["items"] == []


def dialled(premises: Premises, number: str, ago: timedelta) -> None:
    at = datetime.now(UTC) - ago
    call = an_inbound_call(PhoneNumber(number), received_at=at)
    record(premises.database, [Arrival(call, route(), Source.INDEX)], at, "1")


def test_a_number_in_use_is_released_only_when_that_is_said_and_rests(
    premises: Premises, ada: Integrator
) -> None:
    campaign = ada.post("campaigns", {"name": "Leaflet", "destination": BAKERY}).json["id"]
    held = ada.post("tracking-numbers", {"number": "+15005550100", "campaign_id": campaign}).json
    path = f"tracking-numbers/{held['id']}"
    dialled(premises, held["number"], timedelta(days=2))
    used = ada.get(f"{path}/usage").json
    assert (used["calls_90_days"], used["callers_90_days"], used["returns_at"]) == (1, 1, None)
    assert used["reasons_to_keep"] == [
        f"its campaign {campaign} is live",
        "it was dialled in the last 30 days",
    ]
    refused = ada.delete(path)
    assert (refused.status, list(refused.wrong)) == (409, ["even_in_use"])
    assert ada.delete(f"{path}?even_in_use=true", If_Match='"7"').status == 409
    assert ada.delete(f"{path}?even_in_use=true&days=10", If_Match='"1"').status == 204
    returns_at = datetime.fromisoformat(ada.get(f"{path}/usage").json["returns_at"])
    assert abs(returns_at - datetime.now(UTC) - timedelta(days=10)) < timedelta(minutes=1)
    assert ada.get(path).json["status"] == "released"
    back = ada.post(f"{path}/undo-release")
    assert (back.status, back.json["status"], back.json["campaign_id"]) == (200, "active", campaign)
    assert back.json["id"] != held["id"]
    assert ada.post(f"{path}/undo-release").status == 409
    assert ada.delete(f"tracking-numbers/{back.json['id']}?even_in_use=yes&days=x").status == 422


def test_a_number_that_was_held_again_meanwhile_can_be_released_again(ada: Integrator) -> None:
    first = ada.post("tracking-numbers", {"number": "+15005550100"}).json["id"]
    assert ada.delete(f"tracking-numbers/{first}").status == 204
    second = ada.post("tracking-numbers", {"number": "+15005550100"}).json["id"]
    assert ada.post(f"tracking-numbers/{first}/undo-release").status == 409
    assert ada.delete(f"tracking-numbers/{second}").status == 204
    assert ada.get(f"tracking-numbers/{first}/usage").json["returns_at"] is None
    assert ada.get(f"tracking-numbers/{second}/usage").json["returns_at"] is not None
