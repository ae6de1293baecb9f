"""What `hookswitch doctor` looks at: each check finds one thing that calls depend on, and says what to do."""

from collections.abc import Iterator
from datetime import UTC, datetime

import redis
from sqlalchemy.exc import SQLAlchemyError

from models import migrate
from routing.arrival import FactsUnavailable
from routing.index.condition import IndexCondition
from routing.journal import Journal
from routing.snapshot.reader import Snapshot
from routing.spool.replay import held
from scripts.assembly import Parts
from scripts.carrier_checks import carrier, public_address, voice_addresses, web_server
from scripts.findings import Finding, Verdict
from scripts.signs_of_life import SignsOfLife

_MANY_CALLS_WAITING = 10_000
_OLD_COPY = 900
"""Seconds; a worker takes a copy every minute, or as often as a tenth of its time allows."""
_SILENT_AFTER = 60
"""Seconds without a round of one of these loops, whose waits are much shorter."""
_QUICK_LOOPS = ("journal", "index", "host")


def examine(opened: Parts) -> Iterator[Finding]:
    """Run every check; none of them changes anything but the counters of the server."""
    for check in (
        _database,
        _migrations,
        _redis,
        _durability,
        _index,
        _journal,
        _last_known_copy,
        _spool,
        _worker,
        carrier,
        public_address,
        web_server,
        voice_addresses,
    ):
        yield check(opened)


def _database(opened: Parts) -> Finding:
    try:
        with opened.database.reading() as session:
            session.connection().exec_driver_sql("SELECT 1")
    except SQLAlchemyError as error:
        return Finding(
            "database",
            Verdict.FAILED,
            f"does not answer ({type(error).__name__})",
            "start it or mend DATABASE_URL",
        )
    return Finding("database", Verdict.OK, opened.database.engine.dialect.name)


def _migrations(opened: Parts) -> Finding:
    try:
        current, head = migrate.current(opened.settings.database_url), migrate.head()
    except SQLAlchemyError as error:
        return Finding(
            "migrations", Verdict.FAILED, f"unknown ({type(error).__name__})", "mend the database first"
        )
    if current != head:
        detail = f"the schema is at {current or 'nothing'}, the program wants {head}"
        return Finding("migrations", Verdict.FAILED, detail, "run `hookswitch migrate`")
    return Finding("migrations", Verdict.OK, f"at {head}")


def _redis(opened: Parts) -> Finding:
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


def _durability(opened: Parts) -> Finding:
    try:
        kept = opened.redis.config_get("append*")
        policy = opened.redis.config_get("maxmemory-policy").get("maxmemory-policy")
    except redis.RedisError as error:
        return Finding(
            "durability",
            Verdict.WARNING,
            f"cannot be read ({type(error).__name__})",
            "see that Redis runs with appendonly yes, appendfsync always, maxmemory-policy noeviction",
        )
    wanted = {"appendonly": "yes", "appendfsync": "always"}
    wrong = [f"{name} {kept.get(name)}" for name, value in wanted.items() if kept.get(name) != value]
    if policy != "noeviction":
        wrong.append(f"maxmemory-policy {policy}")
    if wrong:
        return Finding(
            "durability",
            Verdict.WARNING,
            f"{', '.join(wrong)}: a crash of Redis may lose calls that were answered",
            "set appendonly yes, appendfsync always and maxmemory-policy noeviction",
        )
    return Finding("durability", Verdict.OK, "a call is on disk before it is answered")


def _index(opened: Parts) -> Finding:
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


def _journal(opened: Parts) -> Finding:
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


def _last_known_copy(opened: Parts) -> Finding:
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


def _spool(opened: Parts) -> Finding:
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


def _worker(opened: Parts) -> Finding:
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
