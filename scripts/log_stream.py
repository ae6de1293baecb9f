"""Standard error for logs: who writes never waits; a thread does, where somebody has stopped reading.

A collector that is stopped or full leaves a full pipe behind, and a plain write would hold up callers
until it reads again. Here the lines wait in memory, and what has no room there is dropped and counted.
"""

import atexit
import os
import select
import threading
from collections.abc import Iterable, Iterator

import structlog

log = structlog.get_logger()

_ROOM = 1_000_000
"""Bytes that may wait: about 4,000 calls."""
_PIECE = 4096
"""PIPE_BUF: so much goes into a pipe in one piece, beside other processes (pipe(7), "PIPE_BUF")."""
_LAST_PATIENCE = 1.0
"""Seconds that the end of a process may take for the lines that still wait."""


class LogStream:
    """Text of whole lines, handed over by any thread to a file descriptor; to be made after forking."""

    def __init__(self, descriptor: int, room: int = _ROOM) -> None:
        self._descriptor = descriptor
        self._room = room
        self._changed = threading.Condition()
        self._waiting: list[bytes] = []
        self._size = 0
        self._dropped = 0
        self._untold = 0
        self._closing = False
        self._carrier: threading.Thread | None = None
        atexit.register(self.close)

    @property
    def dropped(self) -> int:
        """How many lines found no room, or nobody to take them, so far."""
        return self._dropped

    @property
    def waiting(self) -> int:
        """How many bytes are on their way."""
        return self._size

    def write(self, text: str) -> int:
        """Take whole lines, or drop and count them; never waits for who reads."""
        data = text.encode(errors="backslashreplace")
        with self._changed:
            if self._size + len(data) > self._room:
                self._drop(data)
            else:
                self._waiting.append(data)
                self._size += len(data)
                if self._carrier is None:
                    self._carrier = threading.Thread(target=self._carry, name="log", daemon=True)
                    self._carrier.start()
                self._changed.notify()
        return len(text)

    def flush(self) -> None:
        """Do nothing: what is written is on its way."""

    def close(self, patience: float = _LAST_PATIENCE) -> None:
        """Let out what waits, for so many seconds at most."""
        with self._changed:
            self._closing = True
            self._changed.notify()
            carrier = self._carrier
        if carrier is not None:
            carrier.join(patience)
        atexit.unregister(self.close)

    def _carry(self) -> None:
        while True:
            with self._changed:
                while not self._waiting:
                    if self._closing:
                        self._carrier = None
                        return
                    self._changed.wait()
                texts, self._waiting = self._waiting, []
                untold, self._untold = self._untold, 0
            for piece in _pieces(texts):
                self._put(piece)
                with self._changed:
                    self._size -= len(piece)
            if untold:
                log.warning("log.lines_dropped", lines=untold)

    def _put(self, piece: bytes) -> None:
        left = memoryview(piece)
        while left:
            try:
                left = left[os.write(self._descriptor, left) :]
            except BlockingIOError:  # somebody made it so for all who share it
                select.select([], [self._descriptor], [], _LAST_PATIENCE)
            except OSError:  # nobody reads any more, or the disk is full: calls are more important
                with self._changed:
                    self._drop(bytes(left))
                return

    def _drop(self, data: bytes) -> None:
        lines = data.count(b"\n")
        self._dropped += lines
        self._untold += lines


def _pieces(texts: Iterable[bytes]) -> Iterator[bytes]:
    """Put lines together, or take them apart, into pieces that are written as one where a line allows it."""
    piece = b""
    for text in texts:
        if len(piece) + len(text) <= _PIECE:
            piece += text
            continue
        for line in text.splitlines(keepends=True):
            if piece and len(piece) + len(line) > _PIECE:
                yield piece
                piece = b""
            piece += line
    if piece:
        yield piece
