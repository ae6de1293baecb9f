"""Carry facts into the index; an older fact never replaces a newer one."""

from collections import defaultdict
from collections.abc import Iterable

from routing.block_encoding import encode_blocked
from routing.blocks import BlockedPattern
from routing.encoding import encode_campaign, encode_number
from routing.index.layout import Layout
from routing.link import RedisClient
from routing.route import CampaignFacts, NumberFacts

# Whether what is stored has a higher revision than what is offered; what is no fact of ours (no
# revision in front) has none. Whoever writes to the index asks this first.
NEWER = """
local function newer(stored, offered)
  local have = stored and tonumber(string.match(stored, '^(%d+) '))
  return have and have > tonumber(string.match(offered, '^(%d+) '))
end
"""
# Keys: live generation, generation being built. Arguments: key prefix, then items.
# An item replaces what is stored unless that is newer. Both generations get every edit, in one
# atomic step.
_EACH_GENERATION = (
    NEWER
    + """
for _, pointer in ipairs(KEYS) do
  local generation = redis.call('GET', pointer)
  if generation then
    local base = ARGV[1] .. generation
"""
)
_PUT_CAMPAIGNS = (
    _EACH_GENERATION
    + """
    for i = 2, #ARGV, 2 do
      local key = base .. ':c:' .. ARGV[i]
      if not newer(redis.call('GET', key), ARGV[i + 1]) then redis.call('SET', key, ARGV[i + 1]) end
    end
  end
end
"""
)
_PUT_NUMBERS = (
    _EACH_GENERATION
    + """
    for i = 2, #ARGV, 3 do
      local key = base .. ':n:' .. ARGV[i]
      if not newer(redis.call('HGET', key, ARGV[i + 1]), ARGV[i + 2]) then
        redis.call('HSET', key, ARGV[i + 1], ARGV[i + 2])
      end
    end
  end
end
"""
)


_PUT_BLOCKED = (
    _EACH_GENERATION
    + """
    for i = 2, #ARGV, 2 do
      if not newer(redis.call('HGET', base .. ':b', ARGV[i]), ARGV[i + 1]) then
        redis.call('HSET', base .. ':b', ARGV[i], ARGV[i + 1])
      end
    end
  end
end
"""
)


class IndexWriter:
    """Applies committed edits. Raises `redis.RedisError`; applying again does no harm."""

    def __init__(self, client: RedisClient, layout: Layout) -> None:
        self._layout = layout
        self._put_campaigns = client.register_script(_PUT_CAMPAIGNS)
        self._put_numbers = client.register_script(_PUT_NUMBERS)
        self._put_blocked = client.register_script(_PUT_BLOCKED)

    def put_campaigns(self, campaigns: Iterable[CampaignFacts]) -> None:
        """Write campaigns to every partition, since a later number may lie in any."""
        items = [item for facts in campaigns for item in (str(facts.campaign_id), encode_campaign(facts))]
        if items:
            for partition in self._layout.all_partitions():
                self._put_campaigns(
                    keys=self._pointers(partition), args=[self._layout.prefix(partition), *items]
                )

    def put_numbers(self, numbers: Iterable[NumberFacts]) -> None:
        """Write numbers, each into its own bucket. Their campaigns are written by their own edits."""
        by_partition: dict[int, list[str | bytes]] = defaultdict(list)
        for facts in numbers:
            place = self._layout.place_of(facts.number)
            by_partition[place.partition] += place.bucket, place.field, encode_number(facts)
        for partition, items in by_partition.items():
            self._put_numbers(keys=self._pointers(partition), args=[self._layout.prefix(partition), *items])

    def put_blocked(self, blocked: Iterable[BlockedPattern]) -> None:
        """Write blocked patterns to every partition: their callers ring numbers in all of them."""
        items = [item for facts in blocked for item in (facts.pattern.text, encode_blocked(facts))]
        if items:
            for partition in self._layout.all_partitions():
                self._put_blocked(
                    keys=self._pointers(partition), args=[self._layout.prefix(partition), *items]
                )

    def _pointers(self, partition: int) -> list[str]:
        return [self._layout.live(partition), self._layout.building(partition)]
