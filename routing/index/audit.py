"""Compare the index with the truth, number by number, campaign by campaign, block by block."""

from collections.abc import Callable, Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import redis

from routing.block_encoding import encode_blocked
from routing.blocks import BlockedPattern, CallerPattern, NotAPattern
from routing.encoding import encode_campaign, encode_number
from routing.index.batching import BATCH, in_batches
from routing.index.layout import Layout
from routing.link import RedisClient
from routing.numbers import mask
from routing.route import CampaignFacts, NumberFacts


class Fault(StrEnum):
    MISSING = "missing"
    """The truth has it, the index does not."""
    DIFFERS = "differs"
    """Both have it and disagree."""
    SURPLUS = "surplus"
    """The index has it, the truth does not."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One disagreement; `subject` is `campaign 12`, `number +1415•••0100` or `blocked +1900*`."""

    subject: str
    fault: Fault


class IndexAudit:
    """Reads the live index of every partition in constant memory. Raises `redis.RedisError`.

    Which generation lives is asked for every batch, so that a rebuild may swap it meanwhile.
    """

    def __init__(self, client: RedisClient, layout: Layout) -> None:
        self._client = client
        self._layout = layout

    def differences(
        self,
        campaigns: Iterable[CampaignFacts],
        numbers: Iterable[NumberFacts],
        blocked: Iterable[BlockedPattern],
        known: Callable[[list[str]], set[str]],
        progress: Callable[[int], None] = lambda _done: None,
    ) -> Iterator[Difference]:
        """Yield what differs; `known` tells which of some E.164 numbers the truth has."""
        for batch in in_batches(campaigns):
            yield from self.of_campaigns(batch)
            progress(len(batch))
        for number_batch in in_batches(numbers):
            yield from self.of_numbers(number_batch)
            progress(len(number_batch))
        yield from self.of_blocked(blocked)
        for listed in self.listed():
            yield from surplus(listed, known(listed))

    def faults(self, numbers: Sequence[NumberFacts]) -> list[Fault | None]:
        """What is wrong with each of these numbers, of at most a thousand."""
        compared = [
            next(_compare("", encode_number(facts), found), None)
            for facts, found in zip(numbers, self._stored(numbers), strict=True)
        ]
        return [None if difference is None else difference.fault for difference in compared]

    def of_campaigns(self, batch: Sequence[CampaignFacts]) -> Iterator[Difference]:
        """Yield what differs of some campaigns, once for each partition in which it does."""
        for partition in self._layout.all_partitions():
            base = self._base(partition)
            stored = self._client.mget([f"{base}:c:{facts.campaign_id}" for facts in batch]) if batch else []
            for facts, found in zip(batch, stored, strict=True):
                yield from _compare(f"campaign {facts.campaign_id}", encode_campaign(facts), found)

    def of_numbers(self, batch: Sequence[NumberFacts]) -> Iterator[Difference]:
        """Yield what differs of some numbers."""
        for facts, found in zip(batch, self._stored(batch), strict=True):
            yield from _compare(f"number {facts.number.masked}", encode_number(facts), found)

    def _stored(self, batch: Sequence[NumberFacts]) -> list[object]:
        bases = {p: self._base(p) for p in self._layout.all_partitions()}
        pipeline = self._client.pipeline(transaction=False)
        for facts in batch:
            place = self._layout.place_of(facts.number)
            pipeline.hget(f"{bases[place.partition]}:n:{place.bucket}", place.field)
        # Where our bucket is somebody else's list, its error is the answer, and differs.
        stored: list[object] = pipeline.execute(raise_on_error=False)
        for found in stored:
            if isinstance(found, redis.RedisError) and not isinstance(found, redis.ResponseError):
                raise found
        return stored

    def of_blocked(self, blocked: Iterable[BlockedPattern]) -> Iterator[Difference]:
        """Yield what differs of all blocked patterns there are, once for each partition in which it does."""
        # Operators block callers one by one: there are thousands at the very most.
        truth = {facts.pattern.text: encode_blocked(facts) for facts in blocked}
        for partition in self._layout.all_partitions():
            stored = self._stored_blocked(f"{self._base(partition)}:b")
            for text, facts in truth.items():
                yield from _compare(f"blocked {_masked(text)}", facts, stored.pop(text, None))
            for text in stored:
                yield Difference(f"blocked {_masked(text)}", Fault.SURPLUS)

    def _stored_blocked(self, key: str) -> dict[str, bytes]:
        try:
            return {
                field.decode(errors="replace"): facts
                for field, facts in self._client.hscan_iter(key, count=BATCH)
            }
        except redis.ResponseError:  # somebody else's key under our name: nothing of ours is there
            return {}

    def listed(self) -> Iterator[list[str]]:
        """All that the index lists, as E.164 text, a batch at a time."""
        for partition in self._layout.all_partitions():
            yield from in_batches(self._fields(self._base(partition)))

    def _base(self, partition: int) -> str:
        try:
            generation = str(int(self._client.get(self._layout.live(partition)) or b""))
        except (ValueError, redis.ResponseError):  # no index, or a pointer that is not ours
            generation = "none"
        return self._layout.prefix(partition) + generation

    def _fields(self, base: str) -> Iterator[str]:
        for key in self._client.scan_iter(match=f"{base}:n:*", count=BATCH):
            try:
                fields = self._client.hkeys(key)
            except redis.ResponseError:  # not ours; its numbers were missed before
                continue
            for field in fields:
                yield "+" + (field if isinstance(field, str) else field.decode(errors="replace"))


def surplus(listed: Iterable[str], truth: Container[str]) -> Iterator[Difference]:
    """What the index lists and the truth does not have."""
    for e164 in listed:
        if e164 not in truth:
            yield Difference(f"number {mask(e164)}", Fault.SURPLUS)


def _masked(text: str) -> str:
    try:
        return str(CallerPattern(text))
    except NotAPattern:
        return "callers that are no pattern of ours"


def _compare(subject: str, truth: bytes, found: object) -> Iterator[Difference]:
    if found is None:
        yield Difference(subject, Fault.MISSING)
    elif found != truth:
        yield Difference(subject, Fault.DIFFERS)
