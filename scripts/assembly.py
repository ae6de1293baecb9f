"""Join the rooms for commands and the worker: settings in, working parts out."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from models.database import Database
from routing.index.layout import Layout
from routing.link import RedisClient
from scripts import settings as settings_of
from scripts.settings import Settings
from scripts.stores import BACKGROUND_TIMEOUT, layout_of, open_redis


@dataclass(frozen=True, slots=True)
class Parts:
    """What a command works with; the stores are opened at their first use."""

    settings: Settings
    database: Database
    redis: RedisClient
    layout: Layout


@contextmanager
def parts() -> Iterator[Parts]:
    """Open what the environment names and close it again; raise `BadSetting`."""
    settings = settings_of.load(settings_of.environment())
    database = Database(settings.database_url, patient=True)
    client = open_redis(settings.redis_url, BACKGROUND_TIMEOUT)
    try:
        yield Parts(settings, database, client, layout_of(settings.redis_url))
    finally:
        client.close()
        database.dispose()
