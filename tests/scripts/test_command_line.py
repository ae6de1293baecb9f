"""What all commands have in common: help with an example, exit statuses, errors in one clear line."""

import runpy
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import click
import pytest

from scripts import cli
from scripts.arguments import INSTANT, ORIGIN, PHONE_NUMBER
from tests.scripts.conftest import Typed

NAMES = cli.hookswitch.list_commands(click.Context(cli.hookswitch))


def every_command() -> Iterator[tuple[str, ...]]:
    """The words of each command and subcommand."""
    todo: list[tuple[tuple[str, ...], click.Command]] = [((), cli.hookswitch)]
    while todo:
        words, command = todo.pop()
        yield words
        if isinstance(command, click.Group):
            context = click.Context(command)
            for name in command.list_commands(context):
                subcommand = command.get_command(context, name)
                assert subcommand is not None
                todo.append(((*words, name), subcommand))


@pytest.mark.parametrize("words", sorted(every_command()), ids=" ".join)
def test_help_shows_an_example(typed: Typed, words: tuple[str, ...]) -> None:
    helped = typed(*words, "--help")
    assert (helped.status, helped.err) == (0, "")
    _, _, example = " ".join(helped.out.split()).partition("Example: ")
    assert " ".join(("hookswitch", *words)) in example


@pytest.mark.filterwarnings("ignore:.*found in sys.modules:RuntimeWarning")
@pytest.mark.parametrize("name", NAMES)
def test_each_command_is_a_module_of_its_own(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    with pytest.raises(SystemExit) as ended:
        runpy.run_module(f"scripts.{name}", run_name="__main__")
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith(f"Usage: hookswitch {name}")


def test_help_lists_every_command(typed: Typed) -> None:
    helped = typed("--help").out
    assert all(f"\n  {name} " in helped for name in NAMES)


def test_the_version_is_told(typed: Typed) -> None:
    told = typed("--version")
    assert (told.status, told.err) == (0, "")
    assert "hookswitch" in told.out


@pytest.mark.parametrize("words", [(), ("index",), ("calls",), ("bench",)], ids=" ".join)
def test_without_a_command_the_help_is_shown_but_nothing_was_done(
    typed: Typed, words: tuple[str, ...]
) -> None:
    told = typed(*words)
    assert told.status == 2
    assert told.out.startswith("Usage: " + " ".join(("hookswitch", *words)))
    assert "no command was given" in told.complaint


@pytest.mark.parametrize(
    "words",
    [
        "nonsense",
        "--nonsense",
        "call",
        "call 5550100",
        "call +15005550100 +15005550101",
        "call +15005550100 --at tomorrow",
        "call +15005550100 --at 2026-07-01T09:00:00",
        "call +15005550100 --carrier bell",
        "call +15005550100 --url 127.0.0.1:8000",
        "call +15005550100 --url http://127.0.0.1:8000/webhooks",
        "call +15005550100 --url http://127.0.0.1:port",
        "calls nonsense",
        "calls export --format xml",
        "calls export --since yesterday",
        "calls export --until 2026-13-01T00:00:00Z",
        "doctor everything",
        "explain",
        "explain five",
        "explain +0123456789",
        "explain +15005550100 --at",
        "explain +15005550100 --at 9999-12-31T23:59:59-01:00",
        "index nonsense",
        "index rebuild now",
        "index verify --nonsense",
        "migrate --down",
        "serve --port 80",
        "up --nonsense",
        "worker 2",
    ],
)
def test_wrong_usage_is_told_in_one_line(typed: Typed, words: str) -> None:
    told = typed(*words.split())
    assert (told.status, told.out) == (2, "")
    assert told.complaint


def test_wrong_usage_names_the_help_that_explains_it(typed: Typed) -> None:
    assert typed("explain", "five").complaint.endswith("(see hookswitch explain --help)")


@pytest.mark.parametrize("words", ["call +15005550100", "calls export", "explain +15005550100", "worker"])
@pytest.mark.parametrize(
    ("name", "value"), [("SECRET_KEY", ""), ("DATABASE_URL", "mysql://db"), ("PORT", "x")]
)
def test_a_bad_setting_is_named_in_one_line(
    typed: Typed, monkeypatch: pytest.MonkeyPatch, words: str, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    told = typed(*words.split())
    assert (told.status, told.out) == (1, "")
    assert told.complaint.startswith(f"hookswitch: {name}: ")


def test_a_message_of_several_lines_becomes_one(capsys: pytest.CaptureFixture[str]) -> None:
    @click.command(name="fail")
    def fail() -> None:
        raise click.ClickException("first\n  second\tthird\n")

    assert cli.run(fail, []) == 1
    assert capsys.readouterr() == ("", "hookswitch: first second third\n")


@pytest.mark.parametrize("raised", [KeyboardInterrupt(), click.Abort()], ids=["Ctrl-C", "abort"])
def test_an_interrupted_command_says_so_by_its_status(raised: BaseException) -> None:
    @click.command(name="wait")
    def wait() -> None:
        raise raised

    assert cli.run(wait, []) == 130


def test_the_console_command_ends_with_the_status(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["hookswitch", "nonsense"])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2


def test_short_commands_load_no_long_ones() -> None:
    heavy = ("sqlalchemy", "redis", "flask", "twilio", "rich")
    source = f"import sys, scripts.cli; print([name for name in {heavy} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert loaded.stdout == "[]\n"


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-07-01T09:00:00Z", datetime(2026, 7, 1, 9, tzinfo=UTC)),
        ("2026-07-01T09:00:00+02:00", datetime(2026, 7, 1, 7, tzinfo=UTC)),
        ("2026-07-01 09:00-12:00", datetime(2026, 7, 1, 21, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
        ("9999-12-31T23:59:59.999999Z", datetime(9999, 12, 31, 23, 59, 59, 999_999, UTC)),
    ],
)
def test_an_instant_is_read_as_utc(text: str, instant: datetime) -> None:
    read = INSTANT.convert(text, None, None)
    assert (read, read.utcoffset()) == (instant, instant.utcoffset())
    assert INSTANT.convert(read, None, None) is read


def test_a_phone_number_may_be_typed_as_people_write_it() -> None:
    number = PHONE_NUMBER.convert("+1 (500) 555-0100", None, None)
    assert number.e164 == "+15005550100"
    assert PHONE_NUMBER.convert(number, None, None) is number


@pytest.mark.parametrize("text", ["http://127.0.0.1:8000", "https://calls.example.com/", "http://[::1]:80"])
def test_an_origin_is_kept_without_its_slash(text: str) -> None:
    assert ORIGIN.convert(text, None, None) == text.rstrip("/")
