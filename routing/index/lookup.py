"""The call path's one round trip: look a number up and journal the call with the facts found."""

from enum import StrEnum
from typing import Any

from routing.block_encoding import decode_blocks
from routing.blocks import WITHHELD
from routing.call import InboundCall
from routing.encoding import Unreadable, decode_campaign, decode_number, encode_call
from routing.index.layout import Layout
from routing.link import RedisClient, ScriptLink
from routing.numbers import PhoneNumber
from routing.route import Route

# Keys: live generation, journal. Arguments: key prefix, bucket, field, the caller (E.164, `anonymous`, or
# empty: nobody), the call. Journals only what it can route on, so that the journal never holds a guess.
# Returns {number, campaign, blocks} and, where journaled, the entry's id; {} when there is no index;
# {1} when the number is not in it; {2} when its campaign is not. `blocks` are lines, one for each
# pattern that the caller fits; where nobody is blocked one question more is asked, not twelve.
_FIND = """
local generation = redis.call('GET', KEYS[1])
if not generation then return {} end
local base = ARGV[1] .. generation
local number = redis.call('HGET', base .. ':n:' .. ARGV[2], ARGV[3])
if not number then return {1} end
local id = string.match(number, '^%d+ (%d+)')
local campaign = ''
if id ~= '0' then
  campaign = id and redis.call('GET', base .. ':c:' .. id)
  if not campaign then return {2} end
end
local blocks = ''
local caller = ARGV[4]
if caller ~= '' and redis.call('EXISTS', base .. ':b') == 1 then
  local sub, patterns = string.sub, {caller}
  if sub(caller, 1, 1) == '+' then
    for length = 2, #caller do patterns[length] = sub(caller, 1, length) .. '*' end
  end
  local stored = redis.call('HMGET', base .. ':b', unpack(patterns))
  for i = 1, #patterns do
    local record = stored[i]
    if record then
      local line = string.match(record, '^%d+ (.*)') or record
      blocks = blocks == '' and line or blocks .. '\\n' .. line
    end
  end
end
"""
_AND_JOURNAL = """
local entry
if blocks == '' then
  entry = redis.call('XADD', KEYS[2], '*', 'call', ARGV[5], 'number', number, 'campaign', campaign)
else
  entry = redis.call(
    'XADD', KEYS[2], '*', 'call', ARGV[5], 'number', number, 'campaign', campaign, 'blocks', blocks
  )
end
return {number, campaign, blocks, entry}
"""
_AND_REPLY = "return {number, campaign, blocks}"


class Miss(StrEnum):
    """Why the index could not route a call; the database is asked instead."""

    NO_INDEX = "no_index"
    NOT_LISTED = "not_listed"
    """The index is whole and does not hold the number: it is unknown, or a second old."""
    INCOMPLETE = "incomplete"
    """The number is there, its campaign is not."""
    UNREADABLE = "unreadable"


_MISSES = {(): Miss.NO_INDEX, (1,): Miss.NOT_LISTED, (2,): Miss.INCOMPLETE}


class CampaignIndex:
    """Reads the index. Raises `redis.RedisError` where Redis does not answer or refuses."""

    def __init__(self, client: RedisClient, layout: Layout) -> None:
        self._layout = layout
        self._client = client
        # Spelled once: putting key names together costs more than packing the whole command.
        self._names = [(layout.live(p), layout.journal(p), layout.prefix(p)) for p in layout.all_partitions()]
        self._look_up_and_journal = ScriptLink(client, _FIND + _AND_JOURNAL)
        self._look_up = ScriptLink(client, _FIND + _AND_REPLY)

    def arrive(self, call: InboundCall, dialled: PhoneNumber) -> Route | Miss:
        """The route of `dialled`; the call is journaled with it, durably, unless this is a `Miss`."""
        keys, place = self._address(dialled)
        caller = WITHHELD if call.caller is None else call.caller.e164
        reply = self._look_up_and_journal.run(keys, *place, caller, encode_call(call))
        found = _read(dialled, reply)
        if found is Miss.UNREADABLE:
            # Journaled with facts that no worker could read either; it will be again, with good ones.
            self._client.xdel(keys[1], *reply[3:])
        return found

    def route_of(self, number: PhoneNumber, patterns: tuple[str, ...] = ()) -> Route | Miss:
        """The route of `number`, leaving no trace.

        `patterns` are those that a caller fits (`blocks.patterns_of`); without them nobody is blocked.
        """
        keys, place = self._address(number)
        return _read(number, self._look_up.run(keys, *place, patterns[0] if patterns else ""))

    def _address(self, number: PhoneNumber) -> tuple[tuple[str, str], tuple[str, str, str]]:
        partition, bucket, field = self._layout.place_of(number)
        live, journal, prefix = self._names[partition]
        return (live, journal), (prefix, bucket, field)


def _read(number: PhoneNumber, reply: list[Any]) -> Route | Miss:
    if len(reply) < 2:  # noqa: PLR2004 - a route is two facts
        return _MISSES[tuple(reply)]
    try:
        return read_route(number, *reply[:3])
    except (Unreadable, TypeError):
        return Miss.UNREADABLE


def read_route(number: PhoneNumber, facts: bytes, campaign: bytes, blocks: bytes = b"") -> Route:
    """Put together what the index or the journal holds; what a route does not have is empty.

    Raises `Unreadable`.
    """
    try:
        route = Route(decode_number(number, facts), decode_campaign(campaign) if campaign else None)
        return route.facing(decode_blocks(blocks)) if blocks else route
    except ValueError as error:
        raise Unreadable("route") from error
