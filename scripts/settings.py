"""Settings from the environment: read once, checked, frozen. A bad one stops start-up with one line."""

import ipaddress
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import SplitResult, urlsplit

from dotenv import dotenv_values

from scripts.embedded_address import embedded_url

LOCAL_SECRETS = "local.env"
"""In `var/`, mode 600: what `make run` generated for this machine alone."""

RUNNING = "running.env"
"""In `var/`, while `hookswitch up` runs: the PORT it was told, for commands in other terminals."""

_REDIS_SCHEMES = (
    "redis",
    "rediss",
    "redis+sentinel",
    "rediss+sentinel",
    "redis+cluster",
    "rediss+cluster",
    "unix",
)
_TWILIO_API = "https://api.twilio.com"
_SHORTEST_SECRET_KEY = 32
_FORMATS = ("console", "json")
_HIGHEST_PORT = 65_535


class BadSetting(Exception):
    """A setting is missing or malformed; the message names it and says what to do, never its value."""

    def __init__(self, name: str, problem: str) -> None:
        super().__init__(f"{name}: {problem}")


@dataclass(frozen=True, slots=True)
class Secret:
    """Text that must not be printed."""

    _text: str = field(repr=False)

    def reveal(self) -> str:
        return self._text

    def __str__(self) -> str:
        return "•••"


@dataclass(frozen=True, slots=True)
class TwilioAccount:
    """The carrier account whose webhooks we answer."""

    account_sid: str
    auth_token: Secret
    auth_token_secondary: Secret | None
    api_base_url: str

    @property
    def tokens(self) -> tuple[str, ...]:
        """All tokens a webhook may be signed with; two during a rotation."""
        secondary = () if self.auth_token_secondary is None else (self.auth_token_secondary.reveal(),)
        return self.auth_token.reveal(), *secondary


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that differs between two installations."""

    var: Path
    """Folder of this installation's own files; holds secrets, mode 700."""
    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    secret_key: Secret
    public_base_url: str
    """The origin the carrier calls, without a trailing slash."""
    fallback_url: str  # where the carrier asks when it gets no answer there
    twilio: TwilioAccount
    web_concurrency: int
    port: int
    log_level: str
    log_format: Literal["console", "json"]
    trusted_proxies: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]
    metrics_address: str | None = None
    """Where /metrics is shown, and no public page: `host:port` or `unix:path`; None: nowhere."""
    webhook_networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()
    """Where outgoing webhooks may go besides public addresses, without TLS too."""
    drain_seconds: int = 0
    """How long a web server that is told to stop goes on taking calls while it says that it is not ready."""

    @property
    def snapshot(self) -> Path:
        """This host's last-known copy of all routes."""
        return self.var / "snapshot" / "routes"

    @property
    def spool(self) -> Path:
        """Where this host keeps calls that neither Redis nor the database took."""
        return self.var / "spool"

    @property
    def signs_of_life(self) -> Path:
        """Where the workers of this host note when they last did a round."""
        return self.var / "worker"

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach us, so that no carrier can."""
        return is_loopback(self.public_base_url)

    @property
    def may_ask_carrier(self) -> bool:
        """Whether the carrier's REST API may be asked: never the real one by a local trial.

        A local trial's account is made up, or stands in for a real one that rings somebody else.
        """
        return not self.is_local or self.twilio.api_base_url != _TWILIO_API


def environment(directory: Path | None = None) -> dict[str, str]:
    """The process environment over `.env` over what `make run` generated (for local use only).

    Raises `BadSetting` where PUBLIC_BASE_URL cannot be read.
    """
    directory = directory or Path.cwd()
    given = _dotenv(directory / ".env") | {name: value for name, value in os.environ.items() if value}
    if not is_loopback(given.get("PUBLIC_BASE_URL") or _default_base_url(given)):
        return given
    made_up = _dotenv(directory / "var" / LOCAL_SECRETS) | _dotenv(directory / "var" / RUNNING)
    return {name: value for name, value in made_up.items() if f"{name}_FILE" not in given} | given


def load(environ: Mapping[str, str], directory: Path | None = None) -> Settings:
    """Read and check every setting; raise `BadSetting` at the first that is missing or malformed."""
    var = (directory or Path.cwd()) / "var"
    return Settings(
        var=var,
        database_url=_database_url(environ, var),
        redis_url=_redis_url(environ, var),
        secret_key=_secret_key(environ),
        public_base_url=_public_base_url(environ),
        fallback_url=_fallback_url(environ),
        twilio=_twilio(environ),
        web_concurrency=_whole_number(environ, "WEB_CONCURRENCY", os.cpu_count() or 1, 1, 512),
        port=_port(environ),
        log_level=_one_of(environ, "LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR")),
        log_format="json" if _one_of(environ, "LOG_FORMAT", "console", _FORMATS) == "json" else "console",
        trusted_proxies=_networks(environ, "TRUSTED_PROXIES"),
        metrics_address=_metrics_address(environ),
        webhook_networks=_networks(environ, "WEBHOOK_NETWORKS"),
        drain_seconds=_whole_number(environ, "DRAIN_SECONDS", 0, 0, 300),
    )


def is_loopback(url: str) -> bool:
    """Whether a URL names this machine itself: localhost, 127.0.0.0/8 or [::1]."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _dotenv(path: Path) -> dict[str, str]:
    return {name: value for name, value in dotenv_values(path, interpolate=False).items() if value}


def _port(environ: Mapping[str, str]) -> int:
    return _whole_number(environ, "PORT", 8000, 1, _HIGHEST_PORT)


def _default_base_url(environ: Mapping[str, str]) -> str:
    return f"http://127.0.0.1:{_port(environ)}"


def _database_url(environ: Mapping[str, str], var: Path) -> str:
    url = _value_or_file(environ, "DATABASE_URL") or f"sqlite:///{var / 'hookswitch.db'}"
    if not url.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise BadSetting("DATABASE_URL", "must start with postgresql+psycopg:// or sqlite:///")
    _check_ports("DATABASE_URL", url)
    return url


def _redis_url(environ: Mapping[str, str], var: Path) -> str:
    url = _value_or_file(environ, "REDIS_URL") or embedded_url(var)
    if url.partition("://")[0] not in _REDIS_SCHEMES or "://" not in url:
        raise BadSetting(
            "REDIS_URL", f"must start with one of {', '.join(s + '://' for s in _REDIS_SCHEMES)}"
        )
    _check_ports("REDIS_URL", url)
    return url


def _check_ports(name: str, url: str) -> None:
    """Refuse a port that is none; a list of sentinels has one each."""
    hosts = url.partition("://")[2].partition("/")[0].rpartition("@")[2]
    for host in hosts.split(","):
        try:
            _ = urlsplit(f"//{host}").port
        except ValueError:
            raise BadSetting(name, f"has a port that is no number from 0 to {_HIGHEST_PORT}") from None


def _secret_key(environ: Mapping[str, str]) -> Secret:
    secret = _required(
        environ, "SECRET_KEY", "set it to 32 or more random characters, or run this where `make run` runs"
    )
    if len(secret) < _SHORTEST_SECRET_KEY:
        raise BadSetting("SECRET_KEY", f"is too short: {_SHORTEST_SECRET_KEY} random characters or more")
    return Secret(secret)


def _public_base_url(environ: Mapping[str, str]) -> str:
    url = (environ.get("PUBLIC_BASE_URL") or _default_base_url(environ)).rstrip("/")
    parts = _address("PUBLIC_BASE_URL", url)
    if parts is None or parts.path or parts.query or parts.fragment:
        raise BadSetting(
            "PUBLIC_BASE_URL", "must be an origin such as https://calls.example.com, without a path"
        )
    return url


def _fallback_url(environ: Mapping[str, str]) -> str:
    url = environ.get("FALLBACK_URL") or f"{_public_base_url(environ)}/webhooks/twilio/fallback"
    parts = _address("FALLBACK_URL", url)
    if parts is None or parts.fragment:
        raise BadSetting("FALLBACK_URL", "must be a whole https address, without a #")
    return url


def _address(name: str, url: str) -> SplitResult | None:
    """The parts of a web address, None where it is none; refuses one that is not https."""
    try:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0:
            return None
    except ValueError:
        return None
    if parts.scheme == "http" and not is_loopback(url):
        raise BadSetting(name, "must be https unless it names this machine (127.0.0.1)")
    return parts


def _twilio(environ: Mapping[str, str]) -> TwilioAccount:
    sid = _required(environ, "TWILIO_ACCOUNT_SID", "copy it from the carrier's console; it starts with AC")
    if not re.fullmatch(r"AC[0-9a-fA-F]{32}", sid):
        raise BadSetting("TWILIO_ACCOUNT_SID", "must be AC followed by 32 hexadecimal digits")
    token = _required(
        environ, "TWILIO_AUTH_TOKEN", "copy it from the carrier's console; no call is answered without it"
    )
    secondary = _value_or_file(environ, "TWILIO_AUTH_TOKEN_SECONDARY")
    api = environ.get("TWILIO_API_BASE_URL") or _TWILIO_API
    if not api.startswith(("https://", "http://")):
        raise BadSetting("TWILIO_API_BASE_URL", "must start with https://")
    return TwilioAccount(sid, Secret(token), Secret(secondary) if secondary else None, api.rstrip("/"))


def _metrics_address(environ: Mapping[str, str]) -> str | None:
    address = environ.get("METRICS_ADDRESS", "").strip()
    if not address:
        return None
    if address.startswith("unix:") and len(address) > len("unix:"):
        return address
    try:
        parts = urlsplit(f"//{address}")
        well_formed = bool(parts.hostname) and address == parts.netloc.rpartition("@")[2] and bool(parts.port)
    except ValueError:
        well_formed = False
    if not well_formed:
        raise BadSetting("METRICS_ADDRESS", "must be host:port or unix:path, such as 127.0.0.1:9464")
    if parts.port == _port(environ):
        raise BadSetting("METRICS_ADDRESS", "needs a port of its own: PORT is for carriers")
    return address


def _required(environ: Mapping[str, str], name: str, advice: str) -> str:
    value = _value_or_file(environ, name)
    if not value:
        raise BadSetting(name, f"is missing: {advice} (or name a file that holds it in {name}_FILE)")
    return value


def _value_or_file(environ: Mapping[str, str], name: str) -> str:
    """Read NAME, or the file that NAME_FILE names, as container platforms hand over secrets."""
    value, path = environ.get(name, "").strip(), environ.get(f"{name}_FILE", "").strip()
    if value and path:
        raise BadSetting(name, f"is set twice, by {name} and {name}_FILE; remove one")
    if not path:
        return value
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise BadSetting(
            f"{name}_FILE", f"names a file that cannot be read ({type(error).__name__})"
        ) from error


def _whole_number(environ: Mapping[str, str], name: str, default: int, lowest: int, highest: int) -> int:
    text = environ.get(name, "").strip()
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or not lowest <= int(text[:9]) <= highest:
        raise BadSetting(name, f"must be a whole number from {lowest} to {highest}")
    return int(text)


def _one_of(environ: Mapping[str, str], name: str, default: str, choices: tuple[str, ...]) -> str:
    text = environ.get(name, "").strip() or default
    for choice in choices:
        if text.lower() == choice.lower():
            return choice
    raise BadSetting(name, f"must be one of {', '.join(choices)}")


def _networks(
    environ: Mapping[str, str], name: str
) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    try:
        return tuple(ipaddress.ip_network(part) for part in environ.get(name, "").replace(",", " ").split())
    except ValueError as error:
        raise BadSetting(name, "must list networks such as 10.0.0.0/8, separated by commas") from error
