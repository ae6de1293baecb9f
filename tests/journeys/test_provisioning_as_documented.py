"""docs/provisioning.md, typed line by line: from an empty account to a ringing campaign and back."""

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests

from scripts import index_keeping
from tests.scripts.conftest import installation, settings, shop  # noqa: F401 - the same fixtures
from tests.scripts.installation import Installation
from tests.scripts.numbers_at_hand import held, some_numbers
from tests.services.commands import ROOT, Command
from tests.services.ports import free_port
from tests.services.twilio_numbers import TwilioNumbersServer

PAGE = (ROOT / "docs" / "provisioning.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)

pytestmark = pytest.mark.skipif(not shutil.which("curl"), reason="the page types curl, which is not here")


@pytest.fixture
def server(
    installation: Installation,  # noqa: F811
    shop: TwilioNumbersServer,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> Iterator[None]:
    """A server under the public address that the environment names, and a worker."""
    address = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setenv("PUBLIC_BASE_URL", address)
    monkeypatch.setenv("PORT", address.rpartition(":")[2])
    monkeypatch.setenv("WEB_CONCURRENCY", "1")
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:/usr/bin:/bin")
    index_keeping.rebuild(installation.database, installation.redis, installation.layout)
    with Command("serve", tmp_path) as running, Command("worker", tmp_path):
        running.wait_until(lambda: answers(f"{address}/healthz"))
        yield


def answers(url: str) -> bool:
    try:
        return requests.get(url, timeout=2).ok
    except requests.RequestException:
        return False


def eventually(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 20
    while not (fulfilled := condition()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return fulfilled


def test_every_command_of_the_page_does_what_it_says(
    installation: Installation,  # noqa: F811
    shop: TwilioNumbersServer,  # noqa: F811
    server: None,
    tmp_path: Path,
) -> None:
    shop.sell(*some_numbers(5))
    shop.own("+14155552000", voice_url="https://old.example.com")
    typed = "set -eu\n" + "\n".join(BLOCKS)
    told = subprocess.run(
        ["/bin/bash", "-c", typed],
        cwd=tmp_path,
        env=dict(os.environ),
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stdout + told.stderr
    for words in (
        '"id":1',
        "would buy 2 for campaign 1: 2.30 USD a month",
        "order 1 is complete: 2 numbers bought, set up and held",
        "+14155550190</Number>",
        "connect (live)",
        '"price":"1.15"',
        '"monthly":"1.15"',
        '"state":"waiting"',
        "all lines are right: 2 to import",
        "+14155552001     routed, not owned",
        "+14155552000     mended: wrong address",
        "+14155551001     campaign 1 → no campaign",
        "callers are rejected from now on",
        "+14155551001     is held again, on no campaign",
    ):
        assert words in re.sub(r'": ', '":', told.stdout) or words in told.stdout, words
    ours = ["+14155551000", "+14155551001", "+14155551002", "+14155552000"]
    assert eventually(lambda: sorted(held(installation)) == [*ours, "+14155552001"])
    assert shop.numbers == ours
