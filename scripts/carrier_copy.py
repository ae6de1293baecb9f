"""What the carrier has, put in order on disk: a list of any length is compared in constant memory."""

import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

from routing.numbers import PhoneNumber
from webhooks.carriers.carrier_number import OwnedNumber, VoiceAddresses

_COLUMNS = 11


class CarrierCopy:
    """A list of owned numbers that is written page by page and read in the order of the numbers.

    In a temporary folder that only we can read, and gone with the `with` block.
    """

    def __enter__(self) -> Self:
        self._folder = tempfile.TemporaryDirectory(prefix="hookswitch-")
        self._stored = sqlite3.connect(Path(self._folder.name) / "numbers.db", isolation_level=None)
        # A copy that a crash damages is made again.
        self._stored.execute("PRAGMA journal_mode = OFF")
        self._stored.execute("PRAGMA synchronous = OFF")
        self._stored.execute(
            "CREATE TABLE owned (number PRIMARY KEY, sid, label, voice, fallback, status,"
            " voice_method, fallback_method, status_method, application, trunk) WITHOUT ROWID"
        )
        return self

    def __exit__(self, *_: object) -> None:
        self._stored.close()
        self._folder.cleanup()

    def add(self, page: Sequence[OwnedNumber]) -> None:
        """Write down some numbers; one that comes twice, as pages move while they are read, is one."""
        rows = [
            (
                *(owned.number.e164, owned.sid, owned.label),
                *(owned.addresses.voice, owned.addresses.fallback, owned.addresses.status),
                *owned.methods,
                *(owned.application, owned.trunk),
            )
            for owned in page
        ]
        marks = ", ".join("?" * _COLUMNS)
        self._stored.execute("BEGIN")
        self._stored.executemany(f"INSERT OR REPLACE INTO owned VALUES ({marks})", rows)  # noqa: S608 - marks only
        self._stored.execute("COMMIT")

    def in_order(self) -> Iterator[OwnedNumber]:
        """All of them, by their E.164 text."""
        for row in self._stored.execute("SELECT * FROM owned ORDER BY number"):
            number, sid, label, voice, fallback, status, *methods, application, trunk = row
            yield OwnedNumber(
                PhoneNumber(number),
                sid,
                label,
                VoiceAddresses(voice, fallback, status),
                (methods[0], methods[1], methods[2]),
                application,
                trunk,
            )
