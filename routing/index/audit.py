"""Compare the index with the truth, number by number and campaign by campaign."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

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
    """One disagreement; `subject` is `campaign 12` or `number +1415•••0100`."""

    subject: str
    fault: Fault


class IndexAudit:
    """Reads the live index of every partition in constant memory. Raises `redis.RedisError`."""

    def __init__(self, client: RedisClient, layout: Layout) -> None:
        self._client = client
        self._layout = layout

    def differences(
        self,
        campaigns: Iterable[CampaignFacts],
        numbers: Iterable[NumberFacts],
        known: Callable[[list[str]], set[str]],
        progress: Callable[[int], None] = lambda _done: None,
    ) -> Iterator[Difference]:
        """Yield what differs; `known` tells which of some E.164 numbers the truth has."""
        bases = {p: self._base(p) for p in self._layout.all_partitions()}
        for batch in in_batches(campaigns):
            yield from self._campaigns(bases, batch)
            progress(len(batch))
        for number_batch in in_batches(numbers):
            yield from self._numbers(bases, number_batch)
            progress(len(number_batch))
        for base in bases.values():
            yield from self._surplus(base, known)

    def faults(self, numbers: Sequence[NumberFacts]) -> list[Fault | None]:
        """What is wrong with each of these numbers, of at most a thousand."""
        bases = {p: self._base(p) for p in self._layout.all_partitions()}
        compared = [
            next(_compare("", encode_number(facts), found), None)
            for facts, found in zip(numbers, self._stored(bases, numbers), strict=True)
        ]
        return [None if difference is None else difference.fault for difference in compared]

    def _base(self, partition: int) -> str:
        try:
            generation = str(int(self._client.get(self._layout.live(partition)) or b""))
        except ValueError:  # no index, or a pointer that is not ours
            generation = "none"
        return self._layout.prefix(partition) + generation

    def _campaigns(self, bases: dict[int, str], batch: list[CampaignFacts]) -> Iterator[Difference]:
        for base in bases.values():
            stored = self._client.mget([f"{base}:c:{facts.campaign_id}" for facts in batch])
            for facts, found in zip(batch, stored, strict=True):
                yield from _compare(f"campaign {facts.campaign_id}", encode_campaign(facts), found)

    def _numbers(self, bases: dict[int, str], batch: list[NumberFacts]) -> Iterator[Difference]:
        for facts, found in zip(batch, self._stored(bases, batch), strict=True):
            yield from _compare(f"number {facts.number.masked}", encode_number(facts), found)

    def _stored(self, bases: dict[int, str], batch: Sequence[NumberFacts]) -> list[object]:
        pipeline = self._client.pipeline(transaction=False)
        for facts in batch:
            place = self._layout.place_of(facts.number)
            pipeline.hget(f"{bases[place.partition]}:n:{place.bucket}", place.field)
        stored: list[object] = pipeline.execute()
        return stored

    def _surplus(self, base: str, known: Callable[[list[str]], set[str]]) -> Iterator[Difference]:
        for batch in in_batches(self._fields(base)):
            truth = known(batch)
            for e164 in batch:
                if e164 not in truth:
                    yield Difference(f"number {mask(e164)}", Fault.SURPLUS)

    def _fields(self, base: str) -> Iterator[str]:
        for key in self._client.scan_iter(match=f"{base}:n:*", count=BATCH):
            for field in self._client.hkeys(key):
                yield "+" + (field if isinstance(field, str) else field.decode(errors="replace"))


def _compare(subject: str, truth: bytes, found: object) -> Iterator[Difference]:
    if found is None:
        yield Difference(subject, Fault.MISSING)
    elif found != truth:
        yield Difference(subject, Fault.DIFFERS)
