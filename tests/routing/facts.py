"""Builders of plain facts and calls for the tests of routing: say what matters, leave out the rest."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from routing.blocks import Block, BlockedPattern, CallerPattern
from routing.call import InboundCall
from routing.numbers import PhoneNumber
from routing.route import CampaignFacts, NumberFacts, Route

NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
TICK = timedelta(microseconds=1)
TRACKING = PhoneNumber("+14155550100")
BUSINESS = PhoneNumber("+12125550123")
CALLER = PhoneNumber("+13035550142")


def phone(serial: int) -> PhoneNumber:
    """One of ten million made-up numbers."""
    return PhoneNumber(f"+1415{serial:07d}")


def a_campaign(campaign_id: int = 7, **said: Any) -> CampaignFacts:
    """A live campaign without an end that rings `BUSINESS`."""
    plain: dict[str, Any] = {
        "revision": 1,
        "group_id": 3,
        "starts_at": NOW - timedelta(days=1),
        "destination": BUSINESS,
    }
    return CampaignFacts(campaign_id, **(plain | said))


def a_number(number: PhoneNumber = TRACKING, campaign_id: int | None = 7, **said: Any) -> NumberFacts:
    plain: dict[str, Any] = {"number_id": 11, "revision": 1}
    return NumberFacts(number, campaign_id=campaign_id, **(plain | said))


def a_route(**of_campaign: Any) -> Route:
    return Route(a_number(), a_campaign(**of_campaign))


def a_call(dialled: PhoneNumber | None = TRACKING, call_sid: str = "CA1", **said: Any) -> InboundCall:
    plain: dict[str, Any] = {"carrier": "twilio", "received_at": NOW, "caller": CALLER}
    return InboundCall(call_sid=call_sid, dialled=dialled, **(plain | said))


def a_block(block_id: int = 1, **said: Any) -> Block:
    """A block of `CALLER` on the list of the group that `a_campaign` is of."""
    plain: dict[str, Any] = {"group_id": 3, "pattern": CallerPattern(CALLER.e164)}
    return Block(block_id, **(plain | said))


def blocked(*blocks: Block, revision: int = 1) -> BlockedPattern:
    """All blocks of one pattern."""
    return BlockedPattern(blocks[0].pattern, revision, blocks)


@dataclass
class Truth:
    """Stands in for the database: what the index must agree with."""

    campaigns: dict[int, CampaignFacts] = field(default_factory=dict)
    numbers: dict[PhoneNumber, NumberFacts] = field(default_factory=dict)
    blocked: dict[CallerPattern, BlockedPattern] = field(default_factory=dict)

    def add(self, *facts: CampaignFacts | NumberFacts | BlockedPattern) -> "Truth":
        for fact in facts:
            match fact:
                case CampaignFacts():
                    self.campaigns[fact.campaign_id] = fact
                case NumberFacts():
                    self.numbers[fact.number] = fact
                case BlockedPattern():
                    self.blocked[fact.pattern] = fact
        return self

    def all_blocked(self) -> Iterable[BlockedPattern]:
        return list(self.blocked.values())

    def all_campaigns(self) -> Iterable[CampaignFacts]:
        return list(self.campaigns.values())

    def all_numbers(self) -> Iterable[NumberFacts]:
        return list(self.numbers.values())

    def known(self, texts: list[str]) -> set[str]:
        return {number.e164 for number in self.numbers} & set(texts)


def a_truth(numbers: int = 20, campaigns: int = 3) -> Truth:
    """Several campaigns, their numbers dealt out in turn, and one number without a campaign."""
    truth = Truth().add(*(a_campaign(i + 1, external_id=f"c{i + 1}") for i in range(campaigns)))
    for i in range(numbers):
        truth.add(a_number(phone(i), i % campaigns + 1, number_id=i + 1))
    return truth.add(a_number(phone(numbers), None, number_id=numbers + 1, group_id=3))
