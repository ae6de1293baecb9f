"""`hookswitch serve`: become gunicorn with the project's configuration."""

import os
import sys
from pathlib import Path

import click

from scripts import settings as settings_of
from scripts.cli import run
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
    return [sys.executable, "-m", "gunicorn", *pairs, "wsgi:create_app()"]


@click.command(name="serve")
@click.option("--bind", metavar="ADDRESS", help="Listen on host:port or unix:path instead of PORT.")
def command(bind: str | None) -> None:
    """Answer the carrier's webhooks, until stopped.

    TERM lets the calls in hand end first. Behind a proxy on the same machine a unix socket is quicker.

    Example: hookswitch serve --bind unix:/run/hookswitch/web.sock
    """
    settings = settings_of.load(settings_of.environment())
    metrics = Path(os.environ.get(_METRICS) or settings.var / "metrics" / str(settings.port))
    try:
        _make_empty(metrics)
    except OSError as error:
        raise click.ClickException(
            f"{metrics} cannot be written ({error.strerror}); see {_METRICS}"
        ) from error
    words = gunicorn_command(settings, bind)
    os.execve(words[0], words, os.environ | {_METRICS: str(metrics)})  # noqa: S606 - there is no shell


def _make_empty(folder: Path) -> None:
    """Counts of processes that are gone would be added to ours."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left_over in folder.glob("*.db"):
        left_over.unlink(missing_ok=True)


if __name__ == "__main__":
    sys.exit(run(command))
