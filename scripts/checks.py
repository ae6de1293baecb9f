"""What `hookswitch doctor` looks at: each check finds one thing that calls depend on, and says what to do."""

from collections.abc import Iterator

import redis
from sqlalchemy.exc import SQLAlchemyError

from models import migrate
from scripts import vital_signs
from scripts.assembly import Parts
from scripts.carrier_checks import carrier, public_address, voice_addresses, web_server
from scripts.findings import Finding, Verdict


def examine(opened: Parts) -> Iterator[Finding]:
    """Run every check; none of them changes anything but the counters of the server."""
    for check in (
        _database,
        _migrations,
        vital_signs.redis_server,
        _durability,
        vital_signs.index,
        vital_signs.outbox,
        vital_signs.journal,
        vital_signs.last_known_copy,
        vital_signs.spool,
        vital_signs.worker,
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
