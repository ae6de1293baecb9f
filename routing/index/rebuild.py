"""Build the whole index beside the live one, then swap.

Edits that are committed meanwhile are written to both (see `writer`). Builder and writer alike leave
what is newer, so neither a fact read before an edit nor an edit carried late replaces a newer one.
"""

import secrets
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from types import TracebackType
from typing import Self

from routing.block_encoding import encode_blocked
from routing.blocks import BlockedPattern
from routing.encoding import encode_campaign
from routing.index.batching import BATCH, in_batches
from routing.index.layout import Layout
from routing.index.writer import NEWER
from routing.link import RedisClient, ScriptLink
from routing.route import CampaignFacts

_LEASE = 60
"""Seconds after which another process may take over from a rebuilder that died."""

_LONGEST_STEP = 1_000_000
# Generations rise in steps of chance: counted one by one, a rebuild that begins after a flush would
# get the generation of one that began before it and still runs, and each would write into the other.
_TAKE_LOCK = """
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'EX', ARGV[2]) then
  return redis.call('INCRBY', KEYS[2], ARGV[3])
end
return 0
"""
# Keys: generation being built. Arguments: this generation, lease, key prefix, items.
# Writes nothing for a generation that is no longer the one being built.
_STILL_BUILDING = (
    NEWER
    + """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('EXPIRE', KEYS[1], ARGV[2])
local base = ARGV[3] .. ARGV[1]
"""
)
_ADD_CAMPAIGNS = (
    _STILL_BUILDING
    + """
for i = 4, #ARGV, 2 do
  local key = base .. ':c:' .. ARGV[i]
  local offered = ARGV[i + 1]
  if not redis.call('SET', key, offered, 'NX') and not newer(redis.call('GET', key), offered) then
    redis.call('SET', key, offered)
  end
end
return 1
"""
)
_ADD_NUMBERS = (
    _STILL_BUILDING
    + """
for i = 4, #ARGV, 3 do
  local key, field, offered = base .. ':n:' .. ARGV[i], ARGV[i + 1], ARGV[i + 2]
  if redis.call('HSETNX', key, field, offered) == 0
    and not newer(redis.call('HGET', key, field), offered)
  then
    redis.call('HSET', key, field, offered)
  end
end
return 1
"""
)
_ADD_BLOCKED = (
    _STILL_BUILDING
    + """
for i = 4, #ARGV, 2 do
  if not newer(redis.call('HGET', base .. ':b', ARGV[i]), ARGV[i + 1]) then
    redis.call('HSET', base .. ':b', ARGV[i], ARGV[i + 1])
  end
end
return 1
"""
)
_SWAP = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[2], ARGV[1])
redis.call('DEL', KEYS[1])
return 1
"""
_UNLOCK = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


class RebuildUnderWay(Exception):
    """Another process is rebuilding the index; calls are served meanwhile."""


class RebuildInterrupted(Exception):
    """The index being built was lost (Redis flushed, failed over, or this process slept); start again."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild wrote."""

    generation: int
    campaigns: int
    numbers: int


class Rebuilder:
    """Rebuilds the index from the facts it is given. Raises `redis.RedisError`."""

    def __init__(self, client: RedisClient, layout: Layout) -> None:
        self._client = client
        self._layout = layout
        self._take_lock = client.register_script(_TAKE_LOCK)
        self._add_campaigns = ScriptLink(client, _ADD_CAMPAIGNS)
        self._add_numbers = ScriptLink(client, _ADD_NUMBERS)
        self._add_blocked = ScriptLink(client, _ADD_BLOCKED)
        self._swap = client.register_script(_SWAP)
        self._unlock = client.register_script(_UNLOCK)
        self._renewed = 0.0

    def rebuild(
        self,
        campaigns: Callable[[], Iterable[CampaignFacts]],
        numbers: Callable[[], Iterable[tuple[str, str | bytes]]],
        blocked: Callable[[], Iterable[BlockedPattern]],
        progress: Callable[[int], None] = lambda _done: None,
    ) -> Rebuilt:
        """Build from the truth and swap; `progress` is told how many items each batch has.

        A number comes as its E.164 text and what is stored for it, as `encoding.encoded` makes it:
        of a million, few are worth an object each.
        The callables are called only once the build has begun, so that every edit is either
        in what they read or written to the new index by whoever made it.
        Raises `RebuildUnderWay` and `RebuildInterrupted`.
        """
        token = secrets.token_hex(8)
        step = 1 + secrets.randbelow(_LONGEST_STEP)
        generation = int(
            self._take_lock(keys=[self._layout.lock(), self._layout.counter()], args=[token, _LEASE, step])
        )
        if not generation:
            raise RebuildUnderWay("another process is rebuilding the index")
        try:
            for partition in self._layout.all_partitions():
                self._client.set(self._layout.building(partition), generation, ex=_LEASE)
            with _OneAhead() as sending:
                self._add_all_blocked(sending, generation, blocked())
                built = Rebuilt(
                    generation,
                    campaigns=self._add_all_campaigns(sending, generation, campaigns(), progress),
                    numbers=self._add_all_numbers(sending, generation, numbers(), progress),
                )
            self._swap_in(generation)
            # Still under the lock: the next rebuild's keys would look like leftovers.
            self._sweep()
        finally:
            self._unlock(keys=[self._layout.lock()], args=[token])
        return built

    def _add_all_campaigns(
        self,
        sending: "_OneAhead",
        generation: int,
        campaigns: Iterable[CampaignFacts],
        progress: Callable[[int], None],
    ) -> int:
        total = 0
        for batch in in_batches(campaigns):
            items = [item for facts in batch for item in (str(facts.campaign_id), encode_campaign(facts))]
            for partition in self._layout.all_partitions():
                sending.send(partial(self._add, self._add_campaigns, partition, generation, items))
            total += len(batch)
            progress(len(batch))
        return total

    def _add_all_blocked(
        self, sending: "_OneAhead", generation: int, blocked: Iterable[BlockedPattern]
    ) -> None:
        for batch in in_batches(blocked):
            items = [item for facts in batch for item in (facts.pattern.text, encode_blocked(facts))]
            for partition in self._layout.all_partitions():
                sending.send(partial(self._add, self._add_blocked, partition, generation, items))

    def _add_all_numbers(
        self,
        sending: "_OneAhead",
        generation: int,
        numbers: Iterable[tuple[str, str | bytes]],
        progress: Callable[[int], None],
    ) -> int:
        total = 0
        place_of = self._layout.place_of_text
        for batch in in_batches(numbers):
            by_partition: dict[int, list[str | bytes]] = {}
            for e164, facts in batch:
                partition, bucket, field = place_of(e164)
                by_partition.setdefault(partition, []).extend((bucket, field, facts))
            for partition, items in by_partition.items():
                sending.send(partial(self._add, self._add_numbers, partition, generation, items))
            total += len(batch)
            progress(len(batch))
        return total

    def _add(self, script: ScriptLink, partition: int, generation: int, items: Sequence[str | bytes]) -> None:
        layout = self._layout
        keys = (layout.building(partition),)
        if not script.run(keys, str(generation), str(_LEASE), layout.prefix(partition), *items):
            raise RebuildInterrupted("the index being built was lost; run the rebuild again")
        self._renew_lock()

    def _renew_lock(self) -> None:
        now = time.monotonic()
        if now - self._renewed > _LEASE / 10:
            self._renewed = now
            self._client.expire(self._layout.lock(), _LEASE)

    def _swap_in(self, generation: int) -> None:
        for partition in self._layout.all_partitions():
            keys = [self._layout.building(partition), self._layout.live(partition)]
            if not self._swap(keys=keys, args=[generation]):
                raise RebuildInterrupted("the index being built was lost; run the rebuild again")

    def _sweep(self) -> None:
        """Remove the generations that nobody reads: the one before, and those of rebuilds that died."""
        for partition in self._layout.all_partitions():
            pointers = self._client.mget(self._layout.live(partition), self._layout.building(partition))
            kept = tuple(f"{self._layout.prefix(partition)}{int(p)}:".encode() for p in pointers if p)
            prefix = self._layout.prefix(partition)
            for batch in in_batches(self._client.scan_iter(match=f"{prefix}[0-9]*:*", count=BATCH)):
                stale = [key for key in batch if not key.startswith(kept)]
                if stale:
                    self._client.unlink(*stale)
                self._renew_lock()


class _OneAhead:
    """Sends one batch while the next is being put together; half of a rebuild is waiting for Redis.

    What a batch raises comes out of the next `send`, or at the end.
    """

    def __init__(self) -> None:
        self._sender = ThreadPoolExecutor(1, thread_name_prefix="rebuild")
        self._under_way: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._sender.shutdown()
        if self._under_way is not None and error is None:
            self._under_way.result()

    def send(self, batch: Callable[[], None]) -> None:
        if self._under_way is not None:
            self._under_way.result()
        self._under_way = self._sender.submit(batch)
