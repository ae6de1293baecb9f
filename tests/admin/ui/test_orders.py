"""The pages of provisioning, without a browser: the search, the plan, the order and what becomes of it."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from models.number_order import NumberOrder, OrderStatus, Purchase, PurchaseStep
from models.number_release import NumberRelease, ReleaseStep
from models.tracking_number import NumberStatus, TrackingNumber
from routing.numbers import PhoneNumber
from tests.admin.ui.visits import Page, Visit, stored, writing
from tests.admin.walk import World
from tests.builders import a_campaign, a_number, a_phone
from tests.services.twilio_account import busy, problem
from tests.services.twilio_numbers import Trouble

NEW, PLAN, ORDERS = (
    "/tracking-numbers/orders/new",
    "/tracking-numbers/orders/plan",
    "/tracking-numbers/orders",
)
SEARCHED = {"country": "US", "kind": "local"}
SETTINGS = {"record_calls": "no", "caller_id": "caller"}


@pytest.fixture(autouse=True)
def nothing_bought(world: World) -> Iterator[None]:
    """No page buys anything by itself."""
    yield
    assert world.shop.writes == []
    world.shop.troubles.clear()


@pytest.fixture
def campaign(world: World) -> int:
    with writing(world) as session:
        return a_campaign(session, group_id=world.north, name="Spring").id


def wanted(campaign: int, **said: object) -> dict[str, object]:
    return SEARCHED | SETTINGS | {"campaign_id": campaign, "how": "like", "quantity": "2"} | said


def hidden(page: Page) -> dict[str, object]:
    """What a page's last form sends by itself."""
    form = page.source.rpartition("<form")[2]
    return dict(re.findall(r'<input type="hidden" name="([\w_]+)" value="([^"]*)">', form))


def an_order(world: World, campaign: int, **said: object) -> int:
    with writing(world) as session:
        order = NumberOrder(
            fingerprint=a_phone().e164,
            group_id=world.north,
            campaign_id=campaign,
            via="page",
            carrier="twilio",
            quantity=2,
            wanted={"country": "US"},
            label="label",
            **said,
        )
        session.add(order)
        session.flush()
        return order.id


def test_the_search_shows_what_is_on_offer_and_what_it_costs(nora: Visit, campaign: int) -> None:
    begun = nora.get(f"{NEW}?campaign_id={campaign}")
    assert begun.chosen("campaign_id") == "Spring"
    found = nora.post(NEW, **SEARCHED, area_code="415", campaign_id=campaign)
    assert found.status == 200
    assert "+1 415-555-1000" in found.text
    assert "1.15 USD" in found.text
    assert "San Francisco, CA, US" in found.text


def test_what_is_wrong_with_a_search_stands_beside_its_field_and_what_was_typed_stays(nora: Visit) -> None:
    page = nora.post(NEW, country="USA", kind="local", area_code="x", digits="1", name="Leaflet {n}")
    assert page.status == 422
    assert set(page.errors) == {"country", "area_code", "digits"}
    assert (page.typed("country"), page.typed("name")) == ("USA", "Leaflet {n}")


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (problem(401, 20003, "no"), "refuses TWILIO_ACCOUNT_SID"),
        (problem(400, 21451, "no"), "knows no such area code"),
        (problem(500, 20500, "no"), "answers 500"),
    ],
)
def test_why_nothing_can_be_bought_is_said_on_the_page(
    world: World, nora: Visit, answer: object, told: str
) -> None:
    world.shop.troubles.append(Trouble("GET", "Available", lambda _request: answer))  # type: ignore[arg-type, return-value]  # a response
    with capture_logs():
        page = nora.post(NEW, **SEARCHED)
    assert page.status == 200
    assert "No numbers can be bought now" in page.text
    assert told in page.text


def test_the_plan_says_what_it_comes_to_before_anything_is_bought(
    world: World, nora: Visit, campaign: int
) -> None:
    page = nora.post(PLAN, **wanted(campaign, name="Leaflet {n}"))
    assert page.status == 200
    for words in ("2.30 USD a month", "1.15 each", "Spring", "+1 415-555-1001 San Francisco, CA Leaflet 2"):
        assert words in page.text
    short = nora.post(PLAN, **wanted(campaign, quantity="9"))
    assert "The carrier offers 3 such numbers now" in short.text


def test_chosen_numbers_are_planned_by_name(nora: Visit, campaign: int) -> None:
    page = nora.post(PLAN, **wanted(campaign, how="these", numbers="+14155551002"))
    assert page.status == 200
    assert "Buy 1 number?" in page.text
    assert "1.15 USD a month" in page.text
    assert hidden(page)["numbers"] == "+14155551002"


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"how": "these"}, "numbers"),
        ({"quantity": "0"}, "quantity"),
        ({"quantity": "many"}, "quantity"),
        ({"quantity": "9" * 30}, "quantity"),
        ({"destination": "+19005550100"}, "destination"),
        ({"ring_timeout": "2"}, "ring_timeout"),
        ({"country": ""}, "country"),
    ],
)
def test_a_plan_that_cannot_be_made_goes_back_to_the_fields(
    nora: Visit, campaign: int, said: dict[str, object], field: str
) -> None:
    page = nora.post(PLAN, **wanted(campaign, name="Kept {n}") | said)
    assert page.status == 422
    assert field in page.errors
    assert page.typed("name") == "Kept {n}"


def test_an_order_is_given_once_however_often_its_form_is_sent(
    world: World, nora: Visit, campaign: int
) -> None:
    plan = nora.post(PLAN, **wanted(campaign))
    first, second = (nora.post(ORDERS, **hidden(plan)).went_to for _ in range(2))
    assert first == second
    order = stored(world, NumberOrder, int(first.rpartition("/")[2]))
    assert (order.quantity, order.campaign_id, order.via.value) == (2, campaign, "page")
    assert order.next_at is not None
    again = nora.post(PLAN, **wanted(campaign))
    assert nora.post(ORDERS, **hidden(again)).went_to != first


def test_what_was_ordered_can_be_changed_before(nora: Visit, campaign: int) -> None:
    plan = nora.post(PLAN, **wanted(campaign, how="these", numbers="+14155551001", name="Leaflet {n}"))
    page = nora.post(NEW, **hidden(plan))
    assert page.typed("name") == "Leaflet {n}"
    assert re.search(r'value="\+14155551001" checked', page.source)


def test_an_order_is_followed_until_it_is_over(world: World, nora: Visit, campaign: int) -> None:
    now = datetime.now(UTC)
    order_id = an_order(world, campaign, next_at=now)
    path = f"{ORDERS}/{order_id}"
    page = nora.get(path)
    assert "0 of 2 ready" in page.text
    asks = re.search(r'hx-get="(/tracking-numbers/orders/[^"]+)"', page.source)
    assert asks is not None
    assert nora.get(asks[1], HX_Request="true", HX_Target="order-progress").status == 204
    assert f"Order {order_id} waiting 0 of 2 ready" in nora.get(f"/campaigns/{campaign}").text
    with writing(world) as session:
        session.get_one(NumberOrder, order_id).next_at = now - timedelta(minutes=1)
    assert "No worker has begun it yet" in nora.get(path).text
    with writing(world) as session:
        number = a_number(session, a_phone(), group_id=world.north)
        session.add(
            Purchase(
                order_id=order_id,
                number=number.number,
                position=1,
                step=PurchaseStep.RECORDED,
                tracking_number_id=number.id,
            )
        )
        session.get_one(NumberOrder, order_id).status = OrderStatus.COMPLETE
    part = nora.get(asks[1], HX_Request="true", HX_Target="order-progress")
    assert "1 of 2 ready" in part.text
    assert "<main" not in part.source
    assert "hx-get" not in part.source
    assert f"/tracking-numbers/{number.id}" in part.links


def test_what_stopped_an_order_is_said_with_what_to_do(world: World, nora: Visit, campaign: int) -> None:
    order_id = an_order(world, campaign, problem="the carrier wants an address for this number")
    path = f"{ORDERS}/{order_id}"
    page = nora.get(path)
    assert "It stopped: the carrier wants an address for this number." in page.text
    assert nora.post(f"{path}/resume", address_sid=" AD1 ", bundle_sid="").went_to == path
    order = stored(world, NumberOrder, order_id)
    assert (order.wanted["address_sid"], order.problem) == ("AD1", None)
    assert order.next_at is not None
    assert nora.post(f"{path}/cancel").went_to == path
    assert stored(world, NumberOrder, order_id).cancelled_at is not None
    assert "Cancelled: no more numbers are bought" in nora.get(path).text


def test_a_carrier_that_is_away_keeps_the_order_and_says_when_it_is_tried_again(
    world: World, nora: Visit, campaign: int
) -> None:
    later = datetime.now(UTC) + timedelta(minutes=3)
    order_id = an_order(world, campaign, problem="the carrier answers 503", next_at=later)
    assert (
        "The last try did not get through: the carrier answers 503." in nora.get(f"{ORDERS}/{order_id}").text
    )


def test_who_may_not_manage_the_campaign_only_looks(world: World, otis: Visit, campaign: int) -> None:
    order_id = an_order(world, campaign)
    page = otis.get(f"{ORDERS}/{order_id}")
    assert page.status == 200
    assert "/cancel" not in page.source
    assert f"{ORDERS}/{order_id}" in otis.get(ORDERS).links


def test_a_number_is_released_for_some_days_and_had_back(world: World, nora: Visit, campaign: int) -> None:
    with writing(world) as session:
        spring = session.get_one(TrackingNumber, a_number(session, a_phone()).id)
        spring.campaign_id, spring.group_id = campaign, world.north
        number_id = spring.id
    path = f"/tracking-numbers/{number_id}"
    asked = nora.get(f"{path}/release")
    assert "Last dialled never" in asked.text
    assert f"It is still in use: its campaign {campaign} is live." in asked.text
    assert set(nora.post(f"{path}/release", days="10").errors) == {"even_in_use"}
    assert set(nora.post(f"{path}/release", days="999", even_in_use="yes").errors) == {"days"}
    assert stored(world, TrackingNumber, number_id).status is NumberStatus.ACTIVE
    assert nora.post(f"{path}/release", days="10", even_in_use="yes").went_to == path
    with world.database.reading() as session:
        release = session.query(NumberRelease).filter_by(tracking_number_id=number_id).one()
    assert release.step is ReleaseStep.QUARANTINE
    assert abs(release.due_at - datetime.now(UTC) - timedelta(days=10)) < timedelta(minutes=1)
    assert "The carrier gets it back at" in nora.get(path).text
    back = nora.post(f"{path}/undo-release").went_to
    assert back != path
    assert stored(world, TrackingNumber, int(back.rpartition("/")[2])).campaign_id == campaign
    assert nora.post(f"{path}/undo-release").went_to == path


def test_a_busy_carrier_does_not_keep_two_operators_waiting(world: World, nora: Visit) -> None:
    world.shop.troubles += [Trouble("GET", "Available", busy(429, "50")) for _ in range(5)]
    with capture_logs():
        page = nora.post(NEW, **SEARCHED)
    assert "does not answer in time" in page.text
    assert PhoneNumber("+14155551000").e164 not in page.source
