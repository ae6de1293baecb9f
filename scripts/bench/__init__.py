"""`hookswitch bench`: what this installation of Python, Redis and PostgreSQL can do, beside the goals."""

import importlib

import click

_BENCHES = {
    "api": "scripts.bench.api",
    "index": "scripts.bench.index",
    "journal": "scripts.bench.journal",
    "pages": "scripts.bench.pages",
    "reports": "scripts.bench.reports",
    "voice": "scripts.bench.voice",
    "webhooks": "scripts.bench.webhooks",
}


class _Benches(click.Group):
    """Loads a bench on first use: each brings a web framework or a load generator of its own."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return sorted(_BENCHES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in _BENCHES:
            return None
        command: click.Command = importlib.import_module(_BENCHES[cmd_name]).command
        return command


@click.group(cls=_Benches, name="bench")
def command() -> None:
    """Measure on throw-away stores; nothing of this installation is read or touched.

    Example: hookswitch bench voice
    """
