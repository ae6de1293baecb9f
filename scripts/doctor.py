"""`hookswitch doctor`: find what would make calls fail, and say what to do."""

import json
import secrets
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

import click
import redis
import requests
from rich.console import Console
from sqlalchemy.exc import SQLAlchemyError

from models import migrate
from routing.journal import Journal
from scripts import settings as settings_of
from scripts.assembly import Parts, parts
from scripts.call import post_signed
from scripts.cli import FAILED, run
from scripts.settings import BadSetting

_MANY_CALLS_WAITING = 10_000


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


def examine(opened: Parts) -> Iterator[Finding]:
    """Run every check; none of them changes anything but the counters of the server."""
    for check in (
        _database,
        _migrations,
        _redis,
        _durability,
        _index,
        _journal,
        _public_address,
        _web_server,
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
    try:
        whole = all(opened.redis.exists(opened.layout.live(p)) for p in opened.layout.all_partitions())
    except redis.RedisError as error:
        return Finding("index", Verdict.FAILED, f"unknown ({type(error).__name__})", "mend Redis first")
    if not whole:
        return Finding(
            "index",
            Verdict.WARNING,
            "not built; calls are routed from the database",
            "start a worker, or run `hookswitch index rebuild`",
        )
    return Finding("index", Verdict.OK, "built")


def _journal(opened: Parts) -> Finding:
    journal = Journal(opened.redis, opened.layout)
    try:
        waiting, unreadable = journal.length(), journal.set_aside_count()
    except redis.RedisError as error:
        return Finding("journal", Verdict.FAILED, f"unknown ({type(error).__name__})", "mend Redis first")
    if waiting > _MANY_CALLS_WAITING:
        return Finding(
            "journal", Verdict.WARNING, f"{waiting} calls are not in the log yet", "start a worker"
        )
    if unreadable:
        return Finding(
            "journal", Verdict.WARNING, f"{unreadable} entries could not be read", "report this as a defect"
        )
    return Finding("journal", Verdict.OK, f"{waiting} calls waiting for the log")


def _public_address(opened: Parts) -> Finding:
    settings = opened.settings
    if settings.is_local:
        return Finding(
            "public address",
            Verdict.WARNING,
            f"{settings.public_base_url} is this machine only; no carrier can reach it",
            "fine for a trial; set PUBLIC_BASE_URL to the https origin that the carrier calls",
        )
    return Finding("public address", Verdict.OK, settings.public_base_url)


def _web_server(opened: Parts) -> Finding:
    """Send a signed request through the public address to the one handler that needs no store."""
    settings = opened.settings
    form = {"CallSid": "CA" + secrets.token_hex(16), "AccountSid": settings.twilio.account_sid}
    form |= {"From": "anonymous", "To": "", "CallStatus": "ringing", "ErrorCode": "0"}
    try:
        response = post_signed(settings, "/webhooks/twilio/fallback", form, settings.public_base_url)
    except requests.RequestException as error:
        return Finding(
            "web server",
            Verdict.FAILED,
            f"{settings.public_base_url} does not answer ({type(error).__name__})",
            "start it (`hookswitch serve`), or mend the proxy, DNS or certificate in front of it",
        )
    if response.status_code == requests.codes.forbidden:
        return Finding(
            "web server",
            Verdict.FAILED,
            "refuses a correctly signed request",
            "give the server and this command the same PUBLIC_BASE_URL and TWILIO_*; restart the server",
        )
    if response.status_code != requests.codes.ok or "<Response" not in response.text:
        return Finding(
            "web server",
            Verdict.FAILED,
            f"answers {response.status_code} to a signed request",
            "see that the proxy passes /webhooks/ on unchanged",
        )
    return Finding("web server", Verdict.OK, "a signed request came back as TwiML")


@click.command(name="doctor")
@click.option("--json", "as_json", is_flag=True, help="Print JSON Lines, one check each.")
def command(as_json: bool) -> int:  # noqa: FBT001 - click's way
    """Check everything that a call needs; status 1 if calls would fail.

    Example: hookswitch doctor
    """
    show = _as_json if as_json else _for_people()
    try:
        settings_of.load(settings_of.environment())
    except BadSetting as error:
        show(Finding("settings", Verdict.FAILED, str(error), "set it in the environment or in .env"))
        return FAILED
    with parts() as opened:
        findings = [Finding("settings", Verdict.OK, "complete")]
        show(findings[0])
        for finding in examine(opened):
            findings.append(finding)
            show(finding)
    return FAILED if any(finding.verdict is Verdict.FAILED for finding in findings) else 0


def _as_json(finding: Finding) -> None:
    click.echo(
        json.dumps(
            {
                "check": finding.check,
                "verdict": finding.verdict,
                "detail": finding.detail,
                "advice": finding.advice,
            }
        )
    )


def _for_people() -> Callable[[Finding], None]:
    console = Console(highlight=False)
    colours = {Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.FAILED: "red"}

    def show(finding: Finding) -> None:
        colour = colours[finding.verdict]
        console.print(f"[{colour}]{finding.verdict:8}[/]{finding.check}: {finding.detail}", soft_wrap=True)
        if finding.advice and finding.verdict is not Verdict.OK:
            console.print(f"        → {finding.advice}", soft_wrap=True)

    return show


if __name__ == "__main__":
    sys.exit(run(command))
