"""Secrets that this machine makes up for itself, so that `make run` needs no configuration.

Only for an installation that no carrier can reach: whoever goes public brings his own.
"""

import os
import secrets
from collections.abc import Callable, Mapping
from pathlib import Path

from scripts.settings import LOCAL_SECRETS

_MADE_UP: Mapping[str, Callable[[], str]] = {
    "SECRET_KEY": lambda: secrets.token_urlsafe(48),
    "TWILIO_ACCOUNT_SID": lambda: "AC" + secrets.token_hex(16),
    "TWILIO_AUTH_TOKEN": lambda: secrets.token_hex(16),
}
_HEADING = "# Made up by `hookswitch up` for this machine alone. Delete it and new ones are made.\n"


def make_up_missing(environ: Mapping[str, str], var: Path) -> None:
    """Add to `var`/local.env (mode 600) the secrets that `environ` has neither itself nor in a file.

    `environ` holds what an earlier run made up; nothing is ever replaced. Raises `OSError`.
    """
    missing = [name for name in _MADE_UP if not environ.get(name) and not environ.get(f"{name}_FILE")]
    if not missing:
        return
    path = var / LOCAL_SECRETS
    kept = path.read_text(encoding="utf-8") if path.exists() else _HEADING
    lines = "".join(f"{name}={_MADE_UP[name]()}\n" for name in missing)
    beside = path.with_suffix(".new")
    beside.unlink(missing_ok=True)
    beside.touch(mode=0o600, exist_ok=False)
    with beside.open("w", encoding="utf-8") as file:
        file.write(kept.rstrip("\n") + "\n" + lines)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
