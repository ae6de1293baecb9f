"""Which numbers may be dialled."""

import pytest
from hypothesis import given

from routing.decision import Apologise, Connect, Reason
from routing.destinations import (
    UnfitDestination,
    UnknownCountry,
    countries_in,
    refuse_unfit,
    unfit_because,
)
from routing.numbers import NotE164, PhoneNumber
from routing.policy import decide
from routing.route import Route
from tests.builders import NOW, campaign_facts, number_facts, route
from tests.routing.strategies import phones


@pytest.mark.parametrize(
    "number",
    ["+14155550190", "+12125550123", "+18005550199", "+493012345678", "+33142685300", "+447911123456"],
)
def test_ordinary_numbers_may_be_dialled(number: str) -> None:
    destination = PhoneNumber(number)
    assert unfit_because(destination) is None
    there = Route(number_facts(PhoneNumber(number[:-4] + "9999")), campaign_facts(destination=destination))
    assert isinstance(decide(there, NOW), Connect)


@pytest.mark.parametrize(
    ("destination", "countries", "is_fit"),
    [
        ("+14155550190", None, True),
        ("+16045550190", None, True),  # Canada shares the calling code
        ("+18765550190", None, False),  # so does Jamaica, whose numbers fraudsters like
        ("+18765550190", ("JM", "US"), True),
        ("+493012345678", None, False),
        ("+14155550190", ("US",), True),
        ("+16045550190", ("US",), False),
        ("+16045550190", ("CA", "US"), True),
        ("+18765550190", ("CA", "US"), False),  # Jamaica
        ("+493012345678", ("DE",), True),
        ("+14155550190", ("DE",), False),
        ("+447400123456", ("GB",), True),
        ("+447911123456", ("GB",), False),  # Guernsey
        ("+447911123456", ("DE", "US"), False),
        ("+12995550190", ("US",), True),  # an area code that nobody knows yet
        ("+18005550199", ("US",), True),
        ("+19005550100", ("US",), False),  # premium rate stays so at home
    ],
)
def test_a_call_goes_to_the_countries_of_the_group_or_of_the_tracking_number(
    destination: str,
    countries: tuple[str, ...] | None,
    is_fit: bool,  # noqa: FBT001 - an example
) -> None:
    decision = decide(route(destination=PhoneNumber(destination), countries=countries), NOW)
    if is_fit:
        assert isinstance(decision, Connect)
    else:
        assert decision == Apologise(Reason.UNFIT_DESTINATION)


def test_a_number_of_an_island_may_ring_that_island() -> None:
    jamaica, bahamas = PhoneNumber("+18765550190"), PhoneNumber("+12425550190")
    at_home = PhoneNumber("+18765550100")
    assert isinstance(decide(Route(number_facts(at_home), campaign_facts(destination=jamaica)), NOW), Connect)
    assert isinstance(
        decide(Route(number_facts(bahamas), campaign_facts(destination=jamaica)), NOW), Apologise
    )


def test_a_number_s_own_destination_is_held_to_the_same_countries() -> None:
    own = number_facts(destination=PhoneNumber("+493012345678"))
    assert decide(Route(own, campaign_facts()), NOW) == Apologise(Reason.UNFIT_DESTINATION)
    assert isinstance(decide(Route(own, campaign_facts(countries=("DE",))), NOW), Connect)


def test_countries_are_read_in_any_order_and_case() -> None:
    assert countries_in(["us", " CA", "GB", "US"]) == ("CA", "GB", "US")


@pytest.mark.parametrize("codes", [[], [""], ["USA"], ["XX"], ["US", "1"]])
def test_what_is_no_country_is_refused(codes: list[str]) -> None:
    with pytest.raises(UnknownCountry):
        countries_in(codes)


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("+19005550100", "premium"),
        ("+448719876543", "premium"),
        ("+33899123456", "premium"),
        ("+491801234567", "shared-cost"),
        ("+443001234567", "company-wide"),
        ("+447012345678", "personal"),
        ("+881612345678", "satellite"),
        ("+97912345678", "satellite"),
    ],
)
def test_costly_numbers_are_refused_at_save_and_never_dialled_at_a_call(number: str, kind: str) -> None:
    destination = PhoneNumber(number)
    with pytest.raises(UnfitDestination, match=kind) as refused:
        refuse_unfit(destination)
    assert destination.digits not in str(refused.value)
    assert decide(route(destination=destination), NOW) == Apologise(Reason.UNFIT_DESTINATION)


@pytest.mark.parametrize("number", ["911", "+911", "112", "+112", "+1911", "12345"])
def test_emergency_numbers_and_short_codes_are_no_destinations_at_all(number: str) -> None:
    with pytest.raises(NotE164):
        PhoneNumber.parse(number)


@given(phones)
def test_every_number_is_fit_or_unfit_and_stays_so(number: PhoneNumber) -> None:
    assert unfit_because(number) == unfit_because(number)
