"""`hookswitch serve`: become gunicorn with the project's configuration."""

import os
import sys
from pathlib import Path

import click

from routing.durable import private_folder
from scripts import settings as settings_of
from scripts.cli import run
from scripts.metrics_folder import own_folder
from scripts.settings import Settings

_METRICS = "PROMETHEUS_MULTIPROC_DIR"


def host_of(settings: Settings) -> str:
    """The address to listen on: this machine alone, unless a carrier is to reach us."""
    return "127.0.0.1" if settings.is_local else "0.0.0.0"  # noqa: S104 - the carrier comes from outside


def gunicorn_command(settings: Settings, bind: str | None = None) -> list[str]:
    """What to execute; `bind` as gunicorn takes it: `host:port` or `unix:path`."""
    arguments = {
        "--config": "python:scripts.gunicorn_conf",
        "--bind": bind or f"{host_of(settings)}:{settings.port}",
        "--workers": str(settings.web_concurrency),
        # Whom we believe that a request came by https. Nobody, where no proxy is named.
        "--forwarded-allow-ips": ",".join(str(network) for network in settings.trusted_proxies),
    }
    pairs = [part for pair in arguments.items() for part in pair]
    if settings.metrics_address is not None:
        pairs += "--bind", settings.metrics_address
    return [sys.executable, "-m", "gunicorn", *pairs, "wsgi:create_app()"]


@click.command(name="serve")
@click.option("--bind", metavar="ADDRESS", help="Listen on host:port or unix:path instead of PORT.")
def command(bind: str | None) -> None:
    """Answer the carrier's webhooks, until stopped.

    TERM lets the calls in hand end first, and with DRAIN_SECONDS takes new ones so much longer while
    /readyz says no; a second TERM hurries. Behind a proxy on the same machine a unix socket is quicker.

    Example: hookswitch serve --bind unix:/run/hookswitch/web.sock
    """
    settings = settings_of.load(settings_of.environment())
    words = gunicorn_command(settings, bind)
    base = Path(os.environ.get(_METRICS) or settings.var / "metrics")
    try:
        private_folder(settings.var)
        folder = own_folder(base)
    except OSError as error:
        raise click.ClickException(f"{base} cannot be written ({error.strerror}); see {_METRICS}") from error
    given = {_METRICS: str(folder), "DRAIN_SECONDS": str(settings.drain_seconds)}
    os.execve(words[0], words, os.environ | given)  # noqa: S606 - there is no shell


if __name__ == "__main__":
    sys.exit(run(command))
