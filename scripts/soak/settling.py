"""After the last fault: wait until journal, spool and outbox are empty, and look for what was set aside."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

from models import outbox
from models.blocked_caller import all_blocked_patterns
from models.routes import held_or_released, stream_campaigns, stream_numbers
from routing.index.audit import IndexAudit
from routing.journal import Journal
from routing.spool.replay import held
from scripts.soak.invariants import Breach, Violation
from scripts.soak.premises import Premises

_PATIENCE = 60.0
_POLL = 0.1


def settle(premises: Premises) -> Iterator[Violation]:
    """Wait for the workers, and tell what they leave undone."""
    deadline = time.monotonic() + _PATIENCE
    while (waiting := _waiting(premises)) and time.monotonic() < deadline:
        premises.workers.tend()
        time.sleep(_POLL)
    if waiting:
        yield Violation(Breach.NOT_DRAINED, f"after {_PATIENCE:.0f} s: {waiting}")
    if aside := Journal(premises.redis, premises.layout).set_aside_count():
        yield Violation(Breach.NOT_DRAINED, f"{aside} journal entries were set aside")
    if corrupt := held(premises.settings.spool).corrupt:
        yield Violation(Breach.NOT_DRAINED, f"{corrupt} lines of the spool were set aside")
    yield from _index_differences(premises)
    yield from own_errors(premises.directory)


def own_errors(directory: Path) -> Iterator[Violation]:
    """What the programs logged as defects: critical events, refused entries, and whatever raised."""
    for log in sorted(directory.glob("*.log")):
        for line in log.read_text(errors="replace").splitlines():
            if line.startswith("Traceback "):
                yield Violation(Breach.OWN_ERROR, f"{log.name}: a traceback")
            event = _event_in(line)
            if event.get("level") == "critical" or "exception" in event or _is_refusal(event):
                said = " ".join(str(event.get("exception", "")).split())[-160:]
                yield Violation(Breach.OWN_ERROR, f"{log.name}: {event.get('event')} {said}".strip())


def _waiting(premises: Premises) -> str:
    with premises.database.reading() as session:
        edits, _ = outbox.backlog(session)
    waiting = {
        "journal entries": Journal(premises.redis, premises.layout).length(),
        "bytes in the spool": held(premises.settings.spool).bytes,
        "edits in the outbox": edits,
    }
    return ", ".join(f"{count} {what}" for what, count in waiting.items() if count)


def _index_differences(premises: Premises) -> Iterator[Violation]:
    audit = IndexAudit(premises.redis, premises.layout)
    with premises.database.reading() as campaigns, premises.database.reading() as numbers:
        differences = audit.differences(
            stream_campaigns(campaigns),
            stream_numbers(numbers),
            all_blocked_patterns(campaigns),
            lambda e164s: held_or_released(campaigns, e164s),
        )
        yield from (Violation(Breach.INDEX, f"{one.subject}: {one.fault}") for one in differences)


def _event_in(line: str) -> dict[str, object]:
    try:
        event = json.loads(line)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}


def _is_refusal(event: dict[str, object]) -> bool:
    return str(event.get("event")).endswith(
        (".refused_entry", ".refused_record", ".unreadable_entry", ".damaged")
    )
