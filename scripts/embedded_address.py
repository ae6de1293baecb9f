"""Where the embedded Redis listens: every command of one folder works out the same address."""

import hashlib
import os
import tempfile
from pathlib import Path
from urllib.parse import quote

_LONGEST_SOCKET_PATH = 100
"""Bytes; systems take 104 (macOS) to 108 (Linux, unix(7)), and some count the closing NUL."""


def store_directory(var: Path) -> Path:
    """The folder that holds the embedded Redis' data and log."""
    return var / "redis"


def socket_path(var: Path) -> Path:
    """The socket beside the data, or in a short folder of our own where that path is too long."""
    var = var.absolute()
    beside = store_directory(var) / "redis.sock"
    if len(os.fsencode(beside)) <= _LONGEST_SOCKET_PATH:
        return beside
    name = hashlib.sha256(os.fsencode(var)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"hookswitch-{os.geteuid()}-{name}" / "redis.sock"


def embedded_url(var: Path) -> str:
    """The REDIS_URL of the embedded Redis; odd characters of the path are escaped as a URL needs it."""
    return f"unix://{quote(str(socket_path(var)))}"
