"""Orders of numbers: what they come to, who may give, cancel and resume them, how they stand."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from admin import number_orders, order_progress
from admin.errors import CarrierRefuses, Conflict, Invalid, NotAllowed
from admin.lists import number_orders as lists
from admin.order_plans import lay_out
from models.number_order import NumberOrder, OrderState, OrderStatus, Purchase, PurchaseStep
from routing.numbers import PhoneNumber
from tests.admin.office import Office
from tests.admin.stall import Stall
from tests.builders import NOW

MINUTE = timedelta(minutes=1)


def placed(office: Office, actor: Any = None, **said: Any) -> int:
    """The id of an order for a campaign of Olga's."""
    actor = actor or office.olga
    if "campaign_id" not in said and "group_id" not in said:
        said["campaign_id"] = office.campaign(office.olga)
    with office.writing(actor) as session:
        return number_orders.place(session, actor, {"quantity": 2} | said, Stall(), NOW).id


def stands(office: Office, order_id: int, now: Any = NOW) -> OrderState:
    with office.reading() as session:
        return lists.one(session, office.ada, order_id, now).state


def change(office: Office, order_id: int, **values: Any) -> None:
    with office.database.session() as session:
        order = session.get_one(NumberOrder, order_id)
        for name, value in values.items():
            setattr(order, name, value)


def begin(office: Office, order_id: int, step: PurchaseStep, number: str = "+14155551000") -> None:
    with office.database.session() as session:
        session.add(Purchase(order_id=order_id, number=PhoneNumber(number), position=1, step=step))


def test_a_plan_says_what_would_be_bought_and_what_it_costs(office: Office) -> None:
    stall = Stall()
    campaign = office.campaign(office.olga)
    raw = {"campaign_id": campaign, "quantity": 3, "area_code": "415", "name": "Leaflet {n}"}
    with office.reading() as session:
        laid_out = lay_out(number_orders.plan(session, office.olga, raw, stall.name), stall)
    assert [(each.number.e164, each.name) for each in laid_out.candidates] == [
        ("+14155551000", "Leaflet 1"),
        ("+14155551001", "Leaflet 2"),
        ("+14155551002", "Leaflet 3"),
    ]
    assert (laid_out.price, laid_out.monthly, laid_out.currency) == ("1.15", "3.45", "USD")
    assert (laid_out.falls_short, laid_out.wants_address, laid_out.order_id) == (False, False, None)
    assert stall.asked[0].country == "US"  # that of the group's phone


@pytest.mark.parametrize(
    ("said", "price"),
    [
        ({"numbers": ["+14155551000", "+14155551002"], "country": "US"}, "2.30"),
        ({"numbers": ["+14155551000", "+14155551002"]}, None),
        ({"kind": "toll-free", "quantity": 2}, None),
    ],
)
def test_a_price_is_told_where_it_is_known(office: Office, said: dict[str, Any], price: str | None) -> None:
    raw = {"campaign_id": office.campaign(office.olga)} | said
    with office.reading() as session:
        laid_out = lay_out(number_orders.plan(session, office.olga, raw, "twilio"), Stall())
    assert (laid_out.monthly, laid_out.quantity) == (price, 2)


def test_a_plan_says_that_there_are_too_few_and_that_an_address_is_needed(office: Office) -> None:
    stall = Stall(address_required="local")
    raw = {"campaign_id": office.campaign(office.olga), "quantity": 4}
    with office.reading() as session:
        laid_out = lay_out(number_orders.plan(session, office.olga, raw, stall.name), stall)
    assert (laid_out.falls_short, laid_out.wants_address) == (True, True)


def test_an_order_waits_for_a_worker_and_names_who_gave_it(office: Office) -> None:
    order_id = placed(office)
    with office.reading() as session:
        order = session.get_one(NumberOrder, order_id)
    assert (order.next_at, order.user_id, order.via) == (NOW, office.olga.user_id, office.olga.via)
    assert stands(office, order_id) is OrderState.WAITING


def test_the_same_order_is_given_once(office: Office) -> None:
    campaign = office.campaign(office.olga)
    first = placed(office, campaign_id=campaign)
    assert placed(office, campaign_id=campaign) == first
    assert placed(office, campaign_id=campaign, key="again") != first


def test_nothing_is_ordered_where_no_carrier_can_be_asked(office: Office) -> None:
    raw = {"campaign_id": office.campaign(office.olga)}
    with pytest.raises(CarrierRefuses, match="no account"), office.writing(office.olga) as session:
        number_orders.place(session, office.olga, raw, Stall(closed="there is no account"), NOW)
    with pytest.raises(Invalid), office.writing(office.olga) as session:
        number_orders.place(session, office.olga, raw | {"quantity": 0}, Stall(closed="no account"), NOW)


def test_who_manages_the_campaign_orders_for_it_and_cancels(office: Office) -> None:
    campaign = office.campaign(office.olga)
    with pytest.raises(NotAllowed):
        placed(office, office.otis, campaign_id=campaign)
    order_id = placed(office, campaign_id=campaign)
    with pytest.raises(NotAllowed), office.writing(office.otis) as session:
        order_progress.cancel(session, office.otis, order_id, NOW)
    with office.writing(office.ned) as session:
        order_progress.cancel(session, office.ned, order_id, NOW)
    assert stands(office, order_id) is OrderState.CANCELLED


def test_numbers_without_a_campaign_are_ordered_by_admins(office: Office) -> None:
    with pytest.raises(NotAllowed):
        placed(office, group_id=office.north, country="US")
    assert placed(office, office.ned, group_id=office.north, country="US")


@pytest.mark.parametrize(
    ("values", "state"),
    [
        ({"next_at": None}, OrderState.STOPPED),
        ({"next_at": NOW + MINUTE}, OrderState.WAITING),
        ({"worker": "one", "worked_until": NOW - MINUTE}, OrderState.WAITING),
        ({"worker": "one", "worked_until": NOW}, OrderState.WAITING),
        ({"worker": "one", "worked_until": NOW + MINUTE}, OrderState.WORKING),
        ({"cancelled_at": NOW, "worker": "one", "worked_until": NOW + MINUTE}, OrderState.CANCELLED),
        ({"status": OrderStatus.COMPLETE, "next_at": None}, OrderState.COMPLETE),
    ],
)
def test_how_an_order_stands(office: Office, values: dict[str, Any], state: OrderState) -> None:
    order_id = placed(office)
    change(office, order_id, **values)
    assert stands(office, order_id) is state


def test_an_order_that_is_over_is_neither_cancelled_nor_resumed(office: Office) -> None:
    order_id = placed(office)
    change(office, order_id, status=OrderStatus.COMPLETE)
    with pytest.raises(Conflict, match="complete"), office.writing(office.olga) as session:
        order_progress.cancel(session, office.olga, order_id, NOW)
    with pytest.raises(Conflict, match="another"), office.writing(office.olga) as session:
        order_progress.go_on(session, office.olga, order_id, {}, NOW, market=Stall())


@pytest.mark.parametrize(
    ("step", "due"), [(PurchaseStep.BOUGHT, NOW), (PurchaseStep.RECORDED, None), (None, None)]
)
def test_a_cancelled_order_is_over_when_what_was_begun_is_finished(
    office: Office, step: PurchaseStep | None, due: datetime | None
) -> None:
    order_id = placed(office)
    if step is not None:
        begin(office, order_id, step)
    with office.writing(office.olga) as session:
        order_progress.cancel(session, office.olga, order_id, NOW)
    with office.reading() as session:
        shown = lists.one(session, office.olga, order_id, NOW)
    assert (shown.next_at, shown.is_over) == (due, due is None)


def test_an_order_goes_on_with_what_it_lacked(office: Office) -> None:
    order_id = placed(office, bundle_sid="BU1")
    change(office, order_id, next_at=None, problem="the carrier wants an address")
    with office.writing(office.olga) as session:
        order_progress.go_on(session, office.olga, order_id, {"address_sid": "AD1"}, NOW, market=Stall())
    with office.reading() as session:
        order = session.get_one(NumberOrder, order_id)
        assert (order.wanted["address_sid"], order.wanted["bundle_sid"]) == ("AD1", "BU1")
        assert (order.next_at, order.problem) == (NOW, None)


def test_orders_are_listed_by_campaign_and_by_whether_anything_is_left(office: Office) -> None:
    campaign = office.campaign(office.olga)
    done, cancelled, half, waiting, other = (placed(office, campaign_id=campaign, key=k) for k in "abcde")
    change(office, done, status=OrderStatus.COMPLETE)
    change(office, cancelled, cancelled_at=NOW)
    begin(office, half, PurchaseStep.INTENT)
    change(office, half, cancelled_at=NOW)
    elsewhere = placed(office)

    def ids(**said: Any) -> set[int]:
        with office.reading() as session:
            return {order.id for order in lists.page(session, office.ned, said, NOW).items}

    assert ids(campaign_id=str(campaign), unfinished="true") == {half, waiting, other}
    assert ids(campaign_id=str(campaign), unfinished="false") == {done, cancelled}
    assert elsewhere in ids()
