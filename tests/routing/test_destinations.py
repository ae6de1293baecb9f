"""Which numbers may be dialled."""

import pytest
from hypothesis import given

from routing.decision import Apologise, Connect, Reason
from routing.destinations import UnfitDestination, refuse_unfit, unfit_because
from routing.numbers import NotE164, PhoneNumber
from routing.policy import decide
from tests.builders import NOW, route
from tests.routing.strategies import phones


@pytest.mark.parametrize(
    "number",
    ["+14155550190", "+12125550123", "+18005550199", "+493012345678", "+33142685300", "+447911123456"],
)
def test_ordinary_numbers_may_be_dialled(number: str) -> None:
    assert unfit_because(PhoneNumber(number)) is None
    assert isinstance(decide(route(destination=PhoneNumber(number)), NOW), Connect)


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
