"""The call journal: a durable Redis stream between answering a call and writing it to the log.

Entries are written before the caller is answered (with `appendfsync always` they are on disk), read
by the workers' consumer group, and deleted once their rows are committed. Nothing is ever trimmed:
an entry that no worker has seen is a call that exists nowhere else.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zlib import crc32

import redis

from routing.arrival import Arrival, Source
from routing.block_encoding import encode_blocks
from routing.encoding import Unreadable, decode_call, encode_call, encode_campaign, encode_number
from routing.event_encoding import decode_event, encode_event
from routing.events import CallEvent
from routing.index.layout import Layout
from routing.index.lookup import read_route
from routing.link import RedisClient
from routing.recorder import Happening, call_sid_of

GROUP = "log"
"""The consumer group of the workers."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One journal entry; `happening` None: it cannot be read, `raw` keeps what there was."""

    partition: int
    entry_id: bytes
    happening: Happening | None
    raw: dict[bytes, bytes]

    @property
    def arrival(self) -> Arrival | None:
        return self.happening if isinstance(self.happening, Arrival) else None


@dataclass(frozen=True, slots=True)
class Backlog:
    """What waits in the journal: how many entries, the oldest of them since when, how many set aside."""

    entries: int
    oldest: datetime | None
    set_aside: int


class Journal:
    """Append, read and acknowledge calls. Raises `redis.RedisError`."""

    def __init__(self, client: RedisClient, layout: Layout) -> None:
        self._client = client
        self._layout = layout

    def append(self, happening: Happening) -> None:
        """Write a call that was not routed from the index with its facts, or what became of a call."""
        partition = crc32(call_sid_of(happening).encode()) % self._layout.partitions
        self._client.xadd(self._layout.journal(partition), fields_of(happening))

    def open(self) -> None:
        """Make the consumer group where there is none; safe to repeat."""
        for partition in self._layout.all_partitions():
            try:
                self._client.xgroup_create(self._layout.journal(partition), GROUP, id="0", mkstream=True)
            except redis.ResponseError as error:
                if "BUSYGROUP" not in str(error):
                    raise

    def read(self, consumer: str, count: int, wait_ms: int) -> list[Entry]:
        """Entries no worker has had, at most `count` a partition.

        Waits up to `wait_ms` for the first where there is one partition; several are polled.
        """
        # Redis takes a wait of 0 for one without end.
        block = wait_ms or None if self._layout.partitions == 1 else None
        entries: list[Entry] = []
        for partition in self._layout.all_partitions():
            stream = self._layout.journal(partition)
            reply: Any = self._client.xreadgroup(GROUP, consumer, {stream: ">"}, count=count, block=block)
            entries += (_entry(partition, *item) for item in _items(reply))
        return entries

    def claim(self, consumer: str, idle_ms: int, count: int) -> list[Entry]:
        """Take over entries that a worker read at least `idle_ms` ago and never acknowledged."""
        entries: list[Entry] = []
        for partition in self._layout.all_partitions():
            stream = self._layout.journal(partition)
            reply: Any = self._client.xautoclaim(stream, GROUP, consumer, idle_ms, "0-0", count=count)
            entries += (_entry(partition, *item) for item in reply[1] if item[1])
            if gone := [entry_id for entry_id, fields in reply[1] if not fields]:
                self._client.xack(stream, GROUP, *gone)
        return entries

    def acknowledge(self, entries: Iterable[Entry]) -> None:
        """Delete entries whose rows are committed."""
        by_partition: dict[int, list[bytes]] = {}
        for entry in entries:
            by_partition.setdefault(entry.partition, []).append(entry.entry_id)
        for partition, ids in by_partition.items():
            stream = self._layout.journal(partition)
            # In this order: an entry that is gone but not acknowledged is cleared by `claim`; one that
            # is acknowledged but not gone would be counted for ever. Sent together, they share a sync.
            with self._client.pipeline(transaction=False) as both:
                both.xdel(stream, *ids)
                both.xack(stream, GROUP, *ids)
                both.execute()

    def set_aside(self, entry: Entry) -> None:
        """Keep an entry that cannot be read, for a person to look at; `acknowledge` it afterwards."""
        raw: dict[Any, Any] = entry.raw or {"empty": "1"}
        self._client.xadd(self._layout.journal(entry.partition) + ":unreadable", raw)

    def set_aside_count(self) -> int:
        return sum(
            int(self._client.xlen(self._layout.journal(p) + ":unreadable"))
            for p in self._layout.all_partitions()
        )

    def backlog(self) -> Backlog:
        """All of it in one round trip a server."""
        pipeline: Any = self._client.pipeline(transaction=False)
        for partition in self._layout.all_partitions():
            stream = self._layout.journal(partition)
            pipeline.xlen(stream)
            pipeline.xrange(stream, count=1)
            pipeline.xlen(stream + ":unreadable")
        replies = pipeline.execute()
        oldest = [int(items[0][0].partition(b"-")[0]) for items in replies[1::3] if items]
        return Backlog(
            entries=sum(replies[0::3]),
            oldest=datetime.fromtimestamp(min(oldest) / 1000, UTC) if oldest else None,
            set_aside=sum(replies[2::3]),
        )

    def length(self) -> int:
        """Calls that are answered and not yet in the log."""
        return sum(int(self._client.xlen(self._layout.journal(p))) for p in self._layout.all_partitions())


def fields_of(happening: Happening) -> dict[Any, Any]:
    match happening:
        case CallEvent():
            return {"event": encode_event(happening)}
        case Arrival():
            return _arrival_fields(happening)


def _arrival_fields(arrival: Arrival) -> dict[Any, Any]:
    route = arrival.route
    campaign = None if route is None else route.campaign
    blocks = b"" if route is None else encode_blocks(route.blocks)
    return {
        "call": encode_call(arrival.call),
        "number": b"" if route is None else encode_number(route.number),
        "campaign": b"" if campaign is None else encode_campaign(campaign),
        "source": arrival.source,
    } | ({"blocks": blocks} if blocks else {})


def _items(reply: Any) -> Iterable[tuple[bytes, dict[bytes, bytes]]]:  # noqa: ANN401 - Redis replies are untyped
    """Read a stream reply, which is a list of pairs in RESP2 and a mapping in RESP3."""
    if isinstance(reply, dict):
        return [item for batches in reply.values() for batch in batches for item in batch]
    return [item for _stream, items in reply or () for item in items]


def _entry(partition: int, entry_id: bytes, raw: dict[bytes, bytes]) -> Entry:
    try:
        happening: Happening | None = decode_event(raw[b"event"]) if b"event" in raw else _arrival(raw)
    except (Unreadable, KeyError, ValueError):
        happening = None
    return Entry(partition, entry_id, happening, raw)


def _arrival(raw: dict[bytes, bytes]) -> Arrival:
    call = decode_call(raw[b"call"])
    # Entries of the index script name no source: they are the index's own facts.
    source = Source(raw.get(b"source", Source.INDEX.encode()).decode())
    if call.dialled is None or not raw[b"number"]:
        return Arrival(call, None, source)
    return Arrival(
        call, read_route(call.dialled, raw[b"number"], raw[b"campaign"], raw.get(b"blocks", b"")), source
    )
