"""The house stands as it was designed: imports run one way, and importing does nothing."""

import ast
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
ROOMS = ("routing", "prompts", "models", "webhooks", "admin", "scripts")
# The bench measures a bare Flask beside ours.
FLASK_ROOMS = ("webhooks", "admin.api", "admin.ui", "admin.access", "wsgi", "scripts.bench")
DRAWERS = re.compile(r"(utils?|helpers?|common|misc|services?|managers?)")

# What breaks each contract: a file, and the line that is added to it.
FORBIDDEN = {
    "Imports run one way: scripts, then webhooks | admin, then prompts | models, then routing": [
        ("routing/policy.py", "import prompts.render"),
        ("routing/policy.py", "import models.database"),
        ("prompts/render.py", "import models.database"),
        ("prompts/render.py", "import webhooks.replies"),
        ("models/group.py", "import prompts.render"),
        ("models/group.py", "import admin"),
        ("webhooks/voice.py", "import admin"),
        ("webhooks/voice.py", "import scripts.settings"),
        ("admin/__init__.py", "import webhooks.replies"),
    ],
    "Nobody imports the factory: gunicorn names it, the rooms never do": [
        ("scripts/worker.py", "import wsgi"),
        ("webhooks/voice.py", "def late() -> None:\n    import wsgi"),
    ],
    "Routing knows no framework, no database and no carrier": [
        ("routing/router.py", "from flask import request"),
        ("routing/journal.py", "import sqlalchemy"),
        ("routing/call.py", "def late() -> None:\n    import twilio.rest"),
    ],
    "The decision is pure: it knows no Redis": [
        ("routing/policy.py", "import redis"),
        ("routing/route.py", "import routing.journal"),
    ],
    "What we remember knows neither the web nor Redis": [
        ("models/group.py", "import redis"),
        ("models/call.py", "from flask import g"),
    ],
    "Words need no web, database or network": [
        ("prompts/phrases.py", "import requests"),
        ("prompts/render.py", "import sqlalchemy"),
    ],
    "Use cases and lists know no web: their doors do": [
        ("admin/users.py", "from flask import g"),
        ("admin/lists/users.py", "import werkzeug"),
    ],
}
# What libraries do when they are imported is theirs: only what our own lines bring about counts.
LOOK_ON = """
import importlib, os, sys, threading

loud = ("socket.connect", "socket.bind", "socket.getaddrinfo", "subprocess.Popen", "os.fork", "os.system")
ours, theirs = os.getcwd() + os.sep, os.sep + "site-packages" + os.sep

def is_ours(frame):
    while frame:
        file = frame.f_code.co_filename
        if file.startswith(ours) and theirs not in file:
            return True
        if file.startswith("<frozen importlib"):
            return False
        frame = frame.f_back
    return False

def watch(event, arguments):
    writes = event == "open" and isinstance(arguments[1], str) and set(arguments[1]) & set("wax+")
    if (event in loud or writes) and is_ours(sys._getframe(1)):
        raise SystemExit(f"{event} {arguments}")

sys.addaudithook(watch)
environ = dict(os.environ)
for name in sys.argv[1:]:
    importlib.import_module(name)
    if threading.active_count() > 1:
        raise SystemExit(f"{name} starts a thread")
if dict(os.environ) != environ:
    raise SystemExit("the environment was changed")
"""


def modules() -> Iterator[tuple[str, Path]]:
    """Every module of the rooms and the factory, by dotted name."""
    yield "wsgi", ROOT / "wsgi.py"
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*.py")):
            name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
            yield name.removesuffix(".__init__"), path


def imported(path: Path) -> Iterator[str]:
    """All that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Import():
                yield from (alias.name for alias in node.names)
            case ast.ImportFrom(module=str(module)):
                yield module
            case _:
                pass


def contracts() -> list[dict[str, Any]]:
    configuration = tomllib.loads((ROOT / "pyproject.toml").read_text())
    found: list[dict[str, Any]] = configuration["tool"]["importlinter"]["contracts"]
    return found


def lint(tree: Path) -> subprocess.CompletedProcess[str]:
    command = [
        *(sys.executable, "-c", "from importlinter.cli import lint_imports_command as lint; lint()"),
        *("--no-cache", "--no-logo"),
    ]
    wide = os.environ | {"COLUMNS": "500", "NO_COLOR": "1"}
    return subprocess.run(command, cwd=tree, env=wide, capture_output=True, text=True, check=False)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of what is linted."""
    for room in ROOMS:
        shutil.copytree(
            ROOT / room, tmp_path / room, ignore=lambda _, names: [n for n in names if n == "__pycache__"]
        )
    for file in ("wsgi.py", "pyproject.toml"):
        shutil.copyfile(ROOT / file, tmp_path / file)
    return tmp_path


CHARTERS = [
    path.relative_to(ROOT)
    for name, path in modules()
    # A command's own module.
    if path.name == "__init__.py" and name != "scripts.bench"
]


def test_the_import_contracts_hold(tree: Path) -> None:
    linted = lint(tree)
    assert linted.returncode == 0, linted.stdout
    assert all(f"{contract['name']} KEPT" in linted.stdout for contract in contracts())


def test_each_contract_has_an_import_that_breaks_it() -> None:
    assert set(FORBIDDEN) == {contract["name"] for contract in contracts()}


@pytest.mark.parametrize(
    ("contract", "file", "line"),
    [(contract, *plant) for contract, plants in FORBIDDEN.items() for plant in plants],
)
def test_a_forbidden_import_breaks_its_contract(tree: Path, contract: str, file: str, line: str) -> None:
    with (tree / file).open("a") as source:
        source.write(f"\n{line}\n")
    linted = lint(tree)
    assert linted.returncode == 1
    assert f"{contract} BROKEN" in linted.stdout


def users_of(*libraries: str) -> set[str]:
    return {
        name for name, path in modules() if any(used.split(".")[0] in libraries for used in imported(path))
    }


def test_flask_is_known_only_where_pages_are_served() -> None:
    users = users_of("flask")
    assert users
    assert {
        n for n in users if not any(n == room or n.startswith(room + ".") for room in FLASK_ROOMS)
    } == set()


def test_a_module_that_knows_redis_is_not_called_pure() -> None:
    pure = next(c for c in contracts() if c["name"] == "The decision is pure: it knows no Redis")
    assert users_of("redis", "hiredis").isdisjoint(pure["source_modules"])


def test_there_are_no_drawers() -> None:
    parts = {part for name, _ in modules() for part in name.split(".")}
    assert [part for part in parts if any(DRAWERS.fullmatch(word) for word in part.split("_"))] == []


@pytest.mark.parametrize("charter", CHARTERS, ids=str)
def test_an_init_file_is_a_charter_and_nothing_else(charter: Path) -> None:
    (statement,) = ast.parse((ROOT / charter).read_text()).body
    assert isinstance(statement, ast.Expr)
    assert isinstance(statement.value, ast.Constant)
    assert isinstance(statement.value.value, str)


def test_every_file_says_first_what_it_is_for() -> None:
    silent = [name for name, path in modules() if not ast.get_docstring(ast.parse(path.read_text()))]
    assert silent == []


def look_on(tree: Path, *names: str) -> str:
    """Import modules and return what the first noisy one did."""
    command = [sys.executable, "-c", LOOK_ON, *names]
    looked = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
    assert looked.stdout == ""
    assert bool(looked.returncode) == bool(looked.stderr)
    return looked.stderr


def test_importing_any_module_does_nothing() -> None:
    # Alembic runs `env` itself, with a connection; `__main__` is there to be run.
    passive = [n for n, _ in modules() if not n.endswith((".__main__", "models.migrations.env"))]
    assert look_on(ROOT, *passive) == ""


@pytest.mark.parametrize(
    ("line", "noticed"),
    [
        ("import socket\nsocket.socket().bind(('127.0.0.1', 0))", "socket.bind"),
        ("import subprocess\nsubprocess.run(['true'])", "subprocess.Popen"),
        ("import threading, time\nthreading.Thread(target=time.sleep, args=(1,)).start()", "starts a thread"),
        ("open('file', 'w').close()", "open ('file'"),
        ("import os\nos.environ['NAME'] = 'value'", "the environment was changed"),
    ],
)
def test_a_module_that_does_something_is_noticed(tree: Path, line: str, noticed: str) -> None:
    with (tree / "prompts" / "phrases.py").open("a") as source:
        source.write(f"\n{line}\n")
    assert noticed in look_on(tree, "prompts.phrases")


def test_the_web_process_loads_nothing_that_only_others_need() -> None:
    spared = ("twilio.rest", "numpy", "soundfile", "phonenumbers.geocoder", "alembic", "requests", "psycopg")
    source = f"import sys, wsgi; print([name for name in {spared} if name in sys.modules])"
    loaded = subprocess.run(
        [sys.executable, "-c", source], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert loaded.stdout == "[]\n"
