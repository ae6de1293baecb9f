"""Where things lie in Redis.

All keys of one call share a hash tag, so that Redis Cluster keeps them on one node: `{p00}` to
`{pNN}`, chosen by number. A plain Redis has one partition. Numbers lie in buckets of a fixed count,
small enough for Redis' compact hash encoding up to about 6,000,000 numbers; each campaign and each
blocked pattern lies once in every partition. The generation is part of the key, so that a rebuilt
index is swapped in whole.
"""

from dataclasses import dataclass
from typing import NamedTuple
from zlib import crc32

from routing.numbers import PhoneNumber

FORMAT = 1
"""Part of every index key: a newer format is built beside an older one, neither reads the other."""
BUCKETS = 65_536


class Place(NamedTuple):
    """Where one number lies: `field` in bucket `bucket` of `partition`."""

    partition: int
    bucket: str
    field: str


@dataclass(frozen=True, slots=True)
class Layout:
    """Key names for an index of so many partitions (1 on plain Redis, 16 in a cluster)."""

    partitions: int = 1

    def place_of(self, number: PhoneNumber) -> Place:
        return self.place_of_text(number.e164)

    def place_of_text(self, e164: str) -> Place:
        bucket = crc32(e164.encode()) % BUCKETS
        return Place(bucket % self.partitions, str(bucket), e164[1:])

    def all_partitions(self) -> range:
        return range(self.partitions)

    @staticmethod
    def prefix(partition: int) -> str:
        """Start of every index key; a generation follows, then `:n:<bucket>`, `:c:<campaign id>` or `:b`."""
        return f"hs{FORMAT}:{{p{partition:02d}}}:"

    def live(self, partition: int) -> str:
        """Names the generation that calls read; absent: there is no index."""
        return self.prefix(partition) + "live"

    def building(self, partition: int) -> str:
        """Names the generation that a rebuild is filling; edits go there too."""
        return self.prefix(partition) + "building"

    def origin(self, partition: int) -> str:
        """Names the server on which the live generation was built."""
        return self.prefix(partition) + "origin"

    def comparing(self) -> str:
        """Held by the worker that compares the index with the truth."""
        return self.prefix(0) + "comparing"

    def compared(self) -> str:
        """What the last comparison found."""
        return self.prefix(0) + "compared"

    def lock(self) -> str:
        return self.prefix(0) + "rebuild"

    def counter(self) -> str:
        return self.prefix(0) + "generations"

    @staticmethod
    def journal(partition: int) -> str:
        """The stream of calls; not part of a format, since calls outlive it."""
        return f"hs:{{p{partition:02d}}}:journal"

    @staticmethod
    def turn(name: str) -> str:
        """There while somebody has taken this turn of the work `name`, which one worker does for all."""
        return f"hs:{{p00}}:turn:{name}"
