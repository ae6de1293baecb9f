"""`hookswitch numbers import`: all or nothing, every error with its line, quick, and repeatable."""

import csv
import time
from pathlib import Path

import pytest
import redis

from models.database import Database
from routing.index.lookup import CampaignIndex
from routing.index.layout import Layout
from routing.numbers import PhoneNumber
from tests.builders import BUSINESS, a_campaign, a_group, a_number
from tests.scripts.conftest import Typed
from tests.scripts.installation import Installation
from tests.scripts.numbers_at_hand import a_campaign_to_buy_for, held, index_differences, some_numbers
from tests.services.redis_server import RedisServer
from tests.services.twilio_numbers import TwilioNumbersServer


def test_ten_thousand(
    settings: None,
    postgres_url: str,
    redis_server: RedisServer,
    redis_client: redis.Redis,
    monkeypatch: pytest.MonkeyPatch,
    typed: Typed,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("DATABASE_URL", postgres_url)
    monkeypatch.setenv("REDIS_URL", redis_server.url)
    database = Database(postgres_url, patient=True)
    inst = Installation(database, redis_client, Layout())
    with database.session() as session:
        group = a_group(session, phone=BUSINESS)
        ids = [a_campaign(session, group_id=group.id).id for _ in range(100)]
    inst.rebuild_index()
    file = tmp_path / "n.csv"
    rows = "".join(
        f"+1415{i:07d},{ids[i % 100]},Leaflet {i},+1303555{i:04d}\n" for i in range(2000000, 2010000)
    )
    rows = "".join(f"+1415{2000000 + i},{ids[i % 100]},Leaflet {i},+1303555{i:04d}\n" for i in range(10000))
    file.write_text("number,campaign_id,name,destination\n" + rows)
    t = time.monotonic()
    import cProfile, pstats

    pr = cProfile.Profile()
    pr.enable()
    told = typed("numbers", "import", str(file))
    pr.disable()
    pstats.Stats(pr, stream=open("/tmp/prof.txt", "w")).sort_stats("cumtime").print_stats(45)
    open("/tmp/told.txt", "a").write(str(told) + "\n")
    print(told, time.monotonic() - t)
    t = time.monotonic()
    told = typed("numbers", "import", str(file))
    open("/tmp/told.txt", "a").write(str(told) + "\n")
    print(told, time.monotonic() - t)
    assert 0
