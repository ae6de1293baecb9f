"""Room for calls: how much of a web process operators may take at the same time."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

PATIENCE = 1.0
"""Seconds that a request waits for its turn."""


class NoRoom(Exception):
    """Too many requests of operators are under way in this process; worth another try."""


class Room:
    """Two requests at a time, and one that waits: a process has four threads, one is always for callers."""

    def __init__(self, places: int = 2, waiting: int = 1, patience: float = PATIENCE) -> None:
        self._inside = threading.BoundedSemaphore(places + waiting)
        self._places = threading.BoundedSemaphore(places)
        self._patience = patience

    @contextmanager
    def place(self) -> Iterator[None]:
        """Take a place while something is done; raise `NoRoom` where there is none in time."""
        if not self._inside.acquire(blocking=False):
            raise NoRoom("too many requests at the same time; try again")
        try:
            if not self._places.acquire(timeout=self._patience):
                raise NoRoom("too many requests at the same time; try again")
            try:
                yield
            finally:
                self._places.release()
        finally:
            self._inside.release()
