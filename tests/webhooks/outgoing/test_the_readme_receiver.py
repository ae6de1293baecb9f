"""The receiver that the README shows takes what is ours, and nothing else."""

import re
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from models.database import Database
from models.webhook_delivery import DeliveryStatus
from tests.services import lifetime
from tests.services.ports import free_port
from tests.webhooks.outgoing.conftest import PostOffice, post_office

README = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
SECRET = "whsec_" + "c2VjcmV0" * 5


@pytest.fixture
def on_sqlite(sqlite_url: str) -> Iterator[PostOffice]:
    database = Database(sqlite_url)
    with post_office(database) as opened:
        yield opened
    database.dispose()


def shown() -> str:
    [source] = re.findall(r"^```python\n(import sys\nfrom flask.*?)^```", README, re.DOTALL | re.MULTILINE)
    return str(source)


def test_it_verifies_a_delivery_in_ten_lines(on_sqlite: PostOffice, tmp_path: Path) -> None:
    assert len([line for line in shown().splitlines() if line.strip()]) <= 10
    port, program, log = free_port(), tmp_path / "receiver.py", tmp_path / "log"
    program.write_text(shown().replace("9000", str(port)), encoding="utf-8")
    started = lifetime.start([sys.executable, str(program), SECRET], log, death_signal=signal.SIGKILL)
    try:
        deadline = time.monotonic() + 20
        while "Running on" not in log.read_text():
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        forged = requests.post(f"http://127.0.0.1:{port}/hooks", json={"type": "call.started"}, timeout=5)
        assert forged.status_code == 500
        endpoint = on_sqlite.endpoint(f"http://127.0.0.1:{port}/hooks", secret=SECRET)
        on_sqlite.tell(endpoint, call_sid="CA4711", decision="connect")
        on_sqlite.settle(on_sqlite.courier(), 1)
    finally:
        lifetime.stop(started, signal.SIGKILL)
    assert "call.started CA4711 connect" in log.read_text()
    assert on_sqlite.deliveries()[0].status is DeliveryStatus.DELIVERED
