"""`hookswitch numbers search`, `list` and `assign`, and what all commands about numbers have in common."""

from datetime import UTC, datetime, timedelta

import pytest

from models import call_log
from models.campaign import Campaign
from routing.arrival import Arrival, Source
from routing.numbers import PhoneNumber
from scripts.numbers import command as numbers_command
from tests.builders import TRACKING, a_campaign, a_number, an_inbound_call, route
from tests.scripts.conftest import Typed
from tests.scripts.installation import Installation
from tests.scripts.numbers_at_hand import a_campaign_to_buy_for, held, index_differences, some_numbers
from tests.services.twilio_account import busy
from tests.services.twilio_numbers import Trouble, TwilioNumbersServer

DAY = timedelta(days=1)


@pytest.fixture
def campaign(installation: Installation) -> int:
    return a_campaign_to_buy_for(installation)


def test_a_search_shows_numbers_and_their_price(
    shop: TwilioNumbersServer, typed: Typed, campaign: int
) -> None:
    shop.sell(*some_numbers(3), *some_numbers(2, 628))
    told = typed("numbers", "search", "--area-code", "628")
    assert (told.status, told.err) == (0, "")
    assert [line.split()[0] for line in told.out.splitlines()] == ["+16285551000", "+16285551001"]
    assert "San Francisco, CA, US" in told.out
    assert "1.15 USD a month" in told.out
    offers = typed("numbers", "search", "--contains", "1002", "--json").json_lines
    assert [offer["number"] for offer in offers] == ["+14155551002"]


def test_a_search_for_another_kind_finds_that_kind(
    shop: TwilioNumbersServer, typed: Typed, campaign: int
) -> None:
    shop.sell("+18005551000", kind="TollFree")
    assert typed("numbers", "search", "--type", "toll-free", "--json").json["price"] == "2.15"
    assert "no such number now" in typed("numbers", "search").complaint


def test_what_the_carrier_does_not_understand_is_said(
    shop: TwilioNumbersServer, typed: Typed, campaign: int
) -> None:
    assert "knows no such area code" in typed("numbers", "search", "--area-code", "4155").complaint
    shop.troubles.append(Trouble("GET", "Available", busy(429, "3600")))
    assert "the carrier answers 429" in typed("numbers", "search").complaint


def test_a_local_trial_asks_no_carrier(installation: Installation, typed: Typed, campaign: int) -> None:
    for words in (("search",), ("buy", "--campaign", str(campaign)), ("reconcile",)):
        assert "this is a local trial" in typed("numbers", *words).complaint


def test_a_list_tells_how_much_each_number_is_called(
    installation: Installation, typed: Typed, campaign: int
) -> None:
    with installation.database.session() as session:
        there = session.get_one(Campaign, campaign)
        a_number(session, TRACKING, there, name="Front")
        a_number(session, PhoneNumber("+15005550199"), there, name="Back")
        a_number(session, PhoneNumber("+15005550198"), name="Spare")
    for days in (1, 44, 46, 89, 91):
        at = datetime.now(UTC) - days * DAY
        call_log.record(
            installation.database,
            [Arrival(an_inbound_call(received_at=at), route(), Source.INDEX)],
            at,
            "1",
        )
    rows = {row["name"]: row for row in typed("numbers", "list", "--json").json_lines}
    front = rows["Front"]
    assert (front["calls_45_days"], front["calls_90_days"], front["callers_90_days"]) == (2, 4, 1)
    assert front["last_call_at"][:10] == (datetime.now(UTC) - DAY).date().isoformat()
    assert (rows["Back"]["calls_90_days"], rows["Back"]["last_call_at"]) == (0, None)
    assert "never" in typed("numbers", "list", "--unused", "--campaign", str(campaign)).out
    assert "Front" not in typed("numbers", "list", "--unused").out
    assert "Spare" not in typed("numbers", "list", "--campaign", str(campaign)).out
    assert typed("numbers", "list", "--released").out == "no such numbers\n"


def test_numbers_are_put_on_a_campaign_all_or_none(
    installation: Installation, typed: Typed, campaign: int
) -> None:
    with installation.database.session() as session:
        group_id = session.get_one(Campaign, campaign).group_id
        for number in some_numbers(2):
            a_number(session, PhoneNumber(number), group_id=group_id)
    first, second = some_numbers(2)
    missing = typed("numbers", "assign", first, "+14155559999", "--campaign", str(campaign))
    assert "+14155559999 is not held here" in missing.complaint
    assert held(installation)[first].campaign_id is None
    told = typed("numbers", "assign", first, second, "--campaign", str(campaign), "--name", "Page {n}")
    assert (told.status, told.err) == (0, "")
    assert f"{first}     no campaign → campaign {campaign}" in told.out
    assert [(n.name, n.campaign_id) for n in held(installation).values()] == [
        ("Page 1", campaign),
        ("Page 2", campaign),
    ]
    assert index_differences(installation) == []
    assert typed("numbers", "assign", first, "--off").status == 0
    assert held(installation)[first].campaign_id is None
    assert typed("numbers", "assign", first).status == 2


def test_every_command_has_an_example() -> None:
    for name, command in numbers_command.commands.items():
        assert f"hookswitch numbers {name}" in " ".join(str(command.help).split())


def test_a_campaign_of_an_archived_kind_takes_no_number(
    installation: Installation, typed: Typed, campaign: int
) -> None:
    with installation.database.session() as session:
        there = session.get_one(Campaign, campaign)
        over = a_campaign(session, group_id=there.group_id, archived_at=datetime.now(UTC))
        a_number(session, TRACKING, group_id=there.group_id)
    told = typed("numbers", "assign", TRACKING.e164, "--campaign", str(over.id))
    assert "campaign id this campaign is archived" in told.complaint
