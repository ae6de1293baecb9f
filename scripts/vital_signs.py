"""Checks that are light enough to run while somebody waits for a page: what calls depend on at this moment.

`hookswitch doctor` runs them with those of `scripts.checks`.
"""

from collections.abc import Iterator
from datetime import UTC, datetime

import redis
from sqlalchemy.exc import SQLAlchemyError

from models.outbox import backlog
from routing.arrival import FactsUnavailable
from routing.index.condition import IndexCondition
from routing.journal import Journal
from routing.snapshot.reader import Snapshot
from routing.spool.replay import held
from scripts.assembly import Parts
from scripts.findings import Finding, Verdict
from scripts.signs_of_life import SignsOfLife

_MANY_CALLS_WAITING = 10_000
_OLD_COPY = 900
"""Seconds; a worker takes a copy every minute, or as often as a tenth of its time allows."""
_SILENT_AFTER = 60
"""Seconds without a round of one of these loops, whose waits are much shorter."""
_QUICK_LOOPS = ("journal", "index", "host", "webhooks")
_OLD_EDIT = 60
"""Seconds; an edit is published at once, or by a worker within seconds."""


def examine(opened: Parts) -> Iterator[Finding]:
    """Run every check of this file."""
    for check in (redis_server, index, outbox, journal, last_known_copy, spool, worker):
        yield check(opened)


def redis_server(opened: Parts) -> Finding:
    try:
        version = opened.redis.info("server")["redis_version"]
    except redis.RedisError as error:
        return Finding(
            "redis",
            Verdict.FAILED,
            f"does not answer ({type(error).__name__}); calls are routed from the database",
            "start it or mend REDIS_URL",
        )
    return Finding("redis", Verdict.OK, f"version {version}")


def outbox(opened: Parts) -> Finding:
    try:
        with opened.database.reading() as session:
            edits, oldest = backlog(session)
    except SQLAlchemyError as error:
        return Finding(
            "outbox", Verdict.FAILED, f"unknown ({type(error).__name__})", "mend the database first"
        )
    age = 0.0 if oldest is None else (datetime.now(UTC) - oldest).total_seconds()
    if age > _OLD_EDIT:
        return Finding(
            "outbox",
            Verdict.WARNING,
            f"{edits} edits have not reached calls yet, the oldest is {age:.0f} s old",
            "start a worker, or see in its log what keeps it from working",
        )
    return Finding("outbox", Verdict.OK, f"{edits} edits on their way to calls")


def index(opened: Parts) -> Finding:
    condition = IndexCondition(opened.redis, opened.layout)
    try:
        whole, elsewhere = condition.is_whole(), condition.is_on_other_servers()
        compared = condition.last_comparison()
    except redis.RedisError as error:
        return Finding("index", Verdict.FAILED, f"unknown ({type(error).__name__})", "mend Redis first")
    if not whole:
        return Finding(
            "index",
            Verdict.WARNING,
            "not built; calls are routed from the database",
            "start a worker, or run `hookswitch index rebuild`",
        )
    if elsewhere:
        return Finding(
            "index",
            Verdict.WARNING,
            "built on another Redis server than the one that answers now; it may be behind",
            "start a worker, which builds it anew, or run `hookswitch index rebuild`",
        )
    if compared is None:
        return Finding("index", Verdict.OK, "built; not compared with the database yet")
    when = f"compared with the database at {compared.at:%Y-%m-%dT%H:%M:%SZ}"
    if compared.damaged:
        return Finding(
            "index",
            Verdict.WARNING,
            f"{when}, found damaged and built anew",
            "see the worker's log for index.damaged; something else may write to this Redis",
        )
    return Finding("index", Verdict.OK, f"built; {when}")


def journal(opened: Parts) -> Finding:
    journal = Journal(opened.redis, opened.layout)
    try:
        waiting, set_aside = journal.length(), journal.set_aside_count()
    except redis.RedisError as error:
        return Finding("journal", Verdict.FAILED, f"unknown ({type(error).__name__})", "mend Redis first")
    if waiting > _MANY_CALLS_WAITING:
        return Finding(
            "journal", Verdict.WARNING, f"{waiting} calls are not in the log yet", "start a worker"
        )
    if set_aside:
        return Finding(
            "journal",
            Verdict.WARNING,
            f"{set_aside} entries could not be read, or written to the log, and are set aside",
            "report this as a defect",
        )
    return Finding("journal", Verdict.OK, f"{waiting} calls waiting for the log")


def last_known_copy(opened: Parts) -> Finding:
    snapshot = Snapshot(opened.settings.snapshot)
    try:
        age = snapshot.age(datetime.now(UTC)).total_seconds()
    except FactsUnavailable:
        return Finding(
            "last-known copy",
            Verdict.WARNING,
            "this host has none; with Redis and the database away, callers would hear an apology",
            "start a worker on this host",
        )
    finally:
        snapshot.close()
    if age > _OLD_COPY:
        return Finding(
            "last-known copy", Verdict.WARNING, f"{age:.0f} s old", "see why the worker takes no newer one"
        )
    return Finding("last-known copy", Verdict.OK, f"{age:.0f} s old")


def spool(opened: Parts) -> Finding:
    try:
        spooled = held(opened.settings.spool)
    except OSError as error:
        return Finding(
            "spool", Verdict.FAILED, f"cannot be read ({type(error).__name__})", "mend var/spool on this host"
        )
    if spooled.corrupt:
        return Finding(
            "spool",
            Verdict.WARNING,
            f"{spooled.corrupt} torn records set aside",
            "one after a power cut is harmless; see var/spool/*.corrupt",
        )
    if spooled.bytes:
        return Finding(
            "spool", Verdict.WARNING, f"{spooled.bytes} bytes of calls not in the log yet", "start a worker"
        )
    return Finding("spool", Verdict.OK, "empty")


def worker(opened: Parts) -> Finding:
    try:
        seen = dict(SignsOfLife(opened.settings.signs_of_life).seen())
    except OSError as error:
        return Finding(
            "worker", Verdict.WARNING, f"unknown ({type(error).__name__})", "mend var/worker on this host"
        )
    if not seen:
        return Finding("worker", Verdict.WARNING, "none has ever run on this host", "start a worker")
    now = datetime.now(UTC).timestamp()
    silent = [
        f"{loop} for {now - seen[loop]:.0f} s"
        for loop in _QUICK_LOOPS
        if loop in seen and now - seen[loop] > _SILENT_AFTER
    ]
    if silent:
        return Finding(
            "worker",
            Verdict.WARNING,
            f"no round that went well: {', '.join(silent)}",
            "start a worker on this host, or see in its log what keeps it from working",
        )
    return Finding("worker", Verdict.OK, "works")
