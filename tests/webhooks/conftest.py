"""A switchboard on a real Redis and a SQLite file, with an index that is built."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from tests.services.redis_server import RedisServer
from tests.webhooks.switchboard import Switchboard, settings_for

MakeSwitchboard = Callable[..., Switchboard]


@pytest.fixture
def make_switchboard(
    sqlite_url: str, redis_server: RedisServer, redis_client: redis.Redis, tmp_path: Path
) -> Iterator[MakeSwitchboard]:
    """Make switchboards over one database, with settings changed as told."""
    made: list[Switchboard] = []

    def make(**changes: Any) -> Switchboard:
        stores = {"database_url": sqlite_url, "redis_url": redis_server.url}
        board = Switchboard(settings_for(var=tmp_path, **(stores | changes)), redis_client)
        made.append(board)
        return board

    yield make
    for board in made:
        board.close()


@pytest.fixture
def switchboard(make_switchboard: MakeSwitchboard) -> Switchboard:
    return make_switchboard()
