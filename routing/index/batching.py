"""How much is sent to Redis at once."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

_T = TypeVar("_T")

BATCH = 1000
"""Items that one script writes: about 2 ms in which no call is looked up."""


def in_batches(items: Iterable[_T]) -> Iterator[list[_T]]:
    iterator = iter(items)
    while batch := list(islice(iterator, BATCH)):
        yield batch
