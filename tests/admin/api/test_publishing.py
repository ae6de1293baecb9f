"""An edit is in the index when it is answered; where Redis does not answer it waits for the worker."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from models.campaign import Campaign
from scripts.stores import EDIT_TIMEOUT
from tests.admin.api.integrator import Premises
from tests.services.redis_server import RedisServer

NUMBER = "+15005550100"


@pytest.fixture
def server() -> Iterator[RedisServer]:
    with RedisServer() as server:
        yield server


@pytest.fixture
def alone(server: RedisServer, sqlite_url: str, tmp_path: Path) -> Iterator[Premises]:
    """An installation with a Redis that it need not share, and an index."""
    with server.client() as client:
        made = Premises(sqlite_url, client, server.url, tmp_path)
        made.board.rebuild_index()
        yield made
        made.close()


def test_while_redis_hangs_edits_are_kept_and_nobody_waits_twice(
    alone: Premises, server: RedisServer
) -> None:
    ada = alone.program_of(alone.people.ada)
    server.freeze()
    began = time.monotonic()
    campaign = ada.post("campaigns", {"name": "Leaflet", "destination": "+14155550190"})
    for _ in range(20):
        ada.patch(f"campaigns/{campaign.json['id']}", {"name": "Poster"})
    number = ada.post("tracking-numbers", {"number": NUMBER, "campaign_id": campaign.json["id"]})
    took = time.monotonic() - began
    server.thaw()
    assert (campaign.status, number.status) == (201, 201)
    # Twenty-two edits; a time-out a second at most is spent on asking again.
    assert took < 22 * EDIT_TIMEOUT
    assert alone.board.publish() > 0
    assert alone.board.ring(NUMBER).dialled == "+14155550190"


def test_an_edit_carries_what_others_left_behind(alone: Premises) -> None:
    ada = alone.program_of(alone.people.ada)
    campaign = ada.post("campaigns", {"name": "Leaflet", "destination": "+14155550190"}).json["id"]
    with alone.database.session() as session:  # whoever wrote this died before it was published
        session.get_one(Campaign, campaign).destination = None
    ada.post("tracking-numbers", {"number": NUMBER, "campaign_id": campaign})
    assert alone.board.publish() == 0
    assert alone.board.ring(NUMBER).verbs[0] == "Say"
