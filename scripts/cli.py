"""The console command `hookswitch`: one subcommand per file, loaded when it is used."""

import importlib
import sys
from collections.abc import Sequence

import click

from scripts.settings import BadSetting

_COMMANDS = {
    "bench": "scripts.bench",
    "blocks": "scripts.blocks",
    "call": "scripts.call",
    "calls": "scripts.calls",
    "doctor": "scripts.doctor",
    "explain": "scripts.explain",
    "index": "scripts.index",
    "migrate": "scripts.migrate",
    "numbers": "scripts.numbers",
    "privacy": "scripts.privacy",
    "reports": "scripts.reports",
    "serve": "scripts.serve",
    "soak": "scripts.soak.command",
    "token": "scripts.token",
    "up": "scripts.up",
    "user": "scripts.user",
    "worker": "scripts.worker",
}
FAILED = 1
WRONG_USAGE = 2
_INTERRUPTED = 130


class _Commands(click.Group):
    """Loads a subcommand's module on first use, so that `--help` and short commands stay quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(_COMMANDS[cmd_name]).command
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="hookswitch")
def hookswitch() -> None:
    """Answer calls to tracking numbers.

    Example: hookswitch explain +15005550100
    """


def run(command: click.Command, arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status: 0 ok, 1 failed, 2 wrong usage.

    Whatever goes wrong in a way we know is one line on stderr.
    """
    # As a module of its own a command still says how it is typed.
    name = "hookswitch" if command is hookswitch else f"hookswitch {command.name}"
    try:
        status = command.main(
            args=None if arguments is None else list(arguments), prog_name=name, standalone_mode=False
        )
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return _complain(f"no command was given (see {error.ctx.command_path} --help)", WRONG_USAGE)
    except click.UsageError as error:
        hint = f" (see {error.ctx.command_path} --help)" if error.ctx else ""
        return _complain(f"{error.format_message()}{hint}", WRONG_USAGE)
    except click.ClickException as error:
        return _complain(error.format_message(), FAILED)
    except BadSetting as error:
        return _complain(str(error), FAILED)
    except (click.Abort, KeyboardInterrupt):
        return _INTERRUPTED
    return status if isinstance(status, int) else 0


def _complain(message: str, status: int) -> int:
    click.echo("hookswitch: " + " ".join(message.split()), err=True)
    return status


def main() -> None:
    """Entry point of the console script."""
    sys.exit(run(hookswitch))


if __name__ == "__main__":
    main()
