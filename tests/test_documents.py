"""The documents say what is there: settings, commands, targets, packages, links."""

import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import click
import pytest

from scripts import cli
from scripts.settings import BadSetting, load

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
ROOMS = ("routing", "prompts", "models", "webhooks", "admin", "scripts")

_COMPLETE = {"SECRET_KEY": "s" * 32, "TWILIO_ACCOUNT_SID": "AC" + "0" * 32, "TWILIO_AUTH_TOKEN": "token"}
_FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"^```\w*\n(.*?)^```|`([^`\n]+)`", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_TYPED = re.compile(r"(?:^|bin/|(?<!-u)\s)hookswitch((?: +[^\s|#;&>)]+)+)", re.MULTILINE)
_MADE = re.compile(r"(?:^|&& )(?:\w+=\S+ )?make (?:-C \S+ )?([a-z]+)(?: ([a-z]+)$)?", re.MULTILINE)
_TARGETS = re.compile(r"^([a-z]+):.*## ", re.MULTILINE)


class Asked(Mapping[str, str]):
    """An environment that remembers what it was asked for."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values_there = values
        self.names: set[str] = set()

    def __getitem__(self, name: str) -> str:
        self.names.add(name)
        return self.values_there[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_there)

    def __len__(self) -> int:
        return len(self.values_there)


@pytest.fixture(scope="module")
def asked() -> set[str]:
    """Every name that a complete start asks the environment for."""
    environ = Asked(_COMPLETE)
    load(environ, ROOT)
    return environ.names


@pytest.fixture(scope="module")
def settings_read(asked: set[str]) -> dict[str, bool]:
    """Each setting that the program reads, and whether it may come from a file."""
    return {name: f"{name}_FILE" in asked for name in asked if not name.endswith("_FILE")}


def section(heading: str) -> str:
    return README.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def rows(text: str) -> list[list[str]]:
    """The rows of the tables in `text` whose first cell is code."""
    lines = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| `")]
    return [[cell.strip() for cell in line] for line in lines]


def test_the_readme_has_every_setting_and_says_which_may_come_from_a_file(
    settings_read: dict[str, bool],
) -> None:
    assert len(settings_read) > 10
    shown = {name.strip("`"): file == "yes" for name, _, file, _ in rows(section("Settings"))}
    assert shown == settings_read


def test_the_example_has_every_setting(settings_read: dict[str, bool]) -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    assert set(re.findall(r"^#?([A-Z_]+)=", example, re.MULTILINE)) == set(settings_read)


def test_the_readme_says_which_settings_have_no_default(tmp_path: Path) -> None:
    required = {name.strip("`") for name, default, _, _ in rows(section("Settings")) if default == "none"}
    for name in required - {"TWILIO_AUTH_TOKEN_SECONDARY", "TRUSTED_PROXIES"}:
        with pytest.raises(BadSetting, match=f"^{name}: is missing"):
            load({k: v for k, v in _COMPLETE.items() if k != name}, tmp_path)
    assert required >= _COMPLETE.keys()


def test_the_readme_names_what_else_is_read_from_the_environment() -> None:
    sources = [
        ROOT / "wsgi.py",
        *(path for room in (*ROOMS, "tests") for path in (ROOT / room).rglob("*.py")),
    ]
    names = {
        name
        for path in sources
        for line in path.read_text(encoding="utf-8").splitlines()
        for name in re.findall(r'"([A-Z]+(?:_[A-Z]+)+)"(?= in os\.environ)', line)
        + re.findall(r'(?:os\.environ(?:\.get\(|\[)|envvar=)"([A-Z]+(?:_[A-Z]+)+)"', line)
    }
    assert names <= set(re.findall(r"[A-Z_]{4,}", README))


def commands(command: click.Command, *words: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Each command that does something itself, with the words that one types for it."""
    if not isinstance(command, click.Group):
        yield words, command
        return
    context = click.Context(command)
    for name in command.list_commands(context):
        subcommand = command.get_command(context, name)
        assert subcommand is not None
        yield from commands(subcommand, *words, name)


COMMANDS = dict(commands(cli.hookswitch))


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_the_readme_has_every_command(words: tuple[str, ...]) -> None:
    shown = [cells[0].strip("`") for cells in rows(section("Commands"))]
    assert any(f"{cell} ".startswith(f"hookswitch {' '.join(words)} ") for cell in shown)


def typed(document: Path) -> Iterator[list[str]]:
    """What follows `hookswitch` in the code of a document, word by word."""
    for block, span in _CODE.findall(document.read_text(encoding="utf-8")):
        for words in _TYPED.findall(block or span):
            yield words.split()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_command_and_option_in_a_document_is_there(document: Path) -> None:
    groups = [[words[0]] for words in COMMANDS if len(words) > 1]
    for words in typed(document):
        if not re.fullmatch(r"[a-z]+", words[0]) or words in groups:  # no command line, or a whole group
            continue
        named = tuple(words[: 2 if words[:1] in groups else 1])
        assert named in COMMANDS, words
        options = {option for parameter in COMMANDS[named].params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= options | {"--help"}, words


def test_the_readme_has_every_target_of_make() -> None:
    targets = set(_TARGETS.findall((ROOT / "Makefile").read_text(encoding="utf-8")))
    shown = {name for cells in rows(section("Commands")) for name in re.findall(r"`([a-z]+)`", cells[0])}
    assert targets == shown & targets


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_target_of_make_in_a_document_is_there(document: Path) -> None:
    targets = set(_TARGETS.findall((ROOT / "Makefile").read_text(encoding="utf-8")))
    code = [block or span for block, span in _CODE.findall(document.read_text(encoding="utf-8"))]
    named = {name for text in code for names in _MADE.findall(text) for name in names if name}
    assert named <= targets


def test_the_readme_draws_every_room() -> None:
    shown = {cells[0].strip("`").rstrip("/") for cells in rows(section("Map of the rooms"))}
    assert shown >= {*ROOMS, "tests", "wsgi.py"}


def anchor(heading: str) -> str:
    """How the place of a heading is named in links, as forges do it."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_relative_link_resolves(document: Path) -> None:
    for link in _LINK.findall(_FENCE.sub("", document.read_text(encoding="utf-8"))):
        path, _, place = link.partition("#")
        if re.match(r"[a-z]+:", link):
            continue
        target = (document.parent / path).resolve() if path else document
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        if place:
            headings = re.findall(
                r"^#+ (.+)$", _FENCE.sub("", target.read_text(encoding="utf-8")), re.MULTILINE
            )
            assert place in map(anchor, headings), link


def test_the_notice_names_every_package_that_running_installs() -> None:
    lock = (ROOT / "requirements" / "run.lock").read_text(encoding="utf-8")
    installed = set(re.findall(r"^([a-z0-9-]+)(?:\[[^]]*\])?==", lock, re.MULTILINE))
    packages = (ROOT / "NOTICE").read_text(encoding="utf-8").partition("Python packages installed by")[2]
    assert set(re.findall(r"^  ([a-z0-9-]+) ", packages, re.MULTILINE)) == installed


def test_the_changelog_has_the_version_that_the_program_tells() -> None:
    words = [sys.executable, "-m", "scripts.cli", "--version"]
    told = subprocess.run(words, capture_output=True, text=True, check=True, cwd=ROOT).stdout.split()[-1]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(rf"^## {re.escape(told)}\b", changelog, re.MULTILINE)
