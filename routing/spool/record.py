r"""How one record is written: a line with its checksum, so that what follows a damaged one can be read.

`<CRC-32, eight hex digits> <bytes>`, in which a line break is `\n` and a backslash `\\`.
"""

import re
import zlib

_HEAD = 9
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)


class Damaged(ValueError):
    """A line that is no whole record of ours; the message does not say what stands in it."""


def line_of(record: bytes) -> bytes:
    body = record.replace(b"\\", b"\\\\").replace(b"\n", b"\\n")
    return b"%08x %b\n" % (zlib.crc32(body), body)


def record_in(line: bytes) -> bytes:
    """Read a line with or without its line break, raise `Damaged`."""
    body = line.removesuffix(b"\n")[_HEAD:]
    if line[:_HEAD] != b"%08x " % zlib.crc32(body):
        raise Damaged("a line of the spool is torn or was changed")
    return _ESCAPED.sub(_meant, body) if b"\\" in body else body


def _meant(escaped: re.Match[bytes]) -> bytes:
    return b"\n" if escaped[1] == b"n" else escaped[1]
