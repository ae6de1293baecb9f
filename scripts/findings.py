"""What a check of `hookswitch doctor` found."""

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    OK = "ok"
    WARNING = "warning"
    """Calls are answered rightly, but something wants attention."""
    FAILED = "failed"
    """Calls fail, or would if one more part went."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found; `advice` says what to do unless all is well."""

    check: str
    verdict: Verdict
    detail: str
    advice: str = ""
