"""A whole installation with a fault proxy before each store, three numbers, and a carrier that rings them."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self
from urllib.parse import urlencode

from sqlalchemy import select

from models.call import Call
from models.campaign import Campaign
from models.database import Database
from routing.index.layout import Layout
from routing.journal import Journal
from routing.numbers import PhoneNumber
from routing.route import EndOfCampaign
from scripts.draining import Drain
from scripts.host_files import HostKeeper
from scripts.index_keeping import IndexKeeper
from scripts.settings import Settings
from scripts.soak.fault_proxy import FaultProxy
from tests.builders import BUSINESS, NOW, a_campaign, a_group, a_number, a_plan
from tests.services.redis_server import RedisServer
from tests.webhooks.switchboard import VOICE, Heard, Switchboard, a_call, settings_for

LIVE = "+15005550100"
REFERRAL = "+15005550101"
PAUSED = "+15005550102"
NUMBERS = (LIVE, REFERRAL, PAUSED)


@dataclass(slots=True)
class Rung:
    """The calls that were rung and how long each answer took, in seconds."""

    sids: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)


class Premises:
    """Web processes reach the stores through `redis_line` and `sql_line`; the worker's work is done directly.

    What is wrong on the line is so only for the callers, which keeps a test's own steps simple.
    """

    def __init__(self, sql_url: str, redis_server: RedisServer, var: Path) -> None:
        self.var = var
        self.redis_server = redis_server
        self._open = ExitStack()
        self.redis_line = self._open.enter_context(FaultProxy.before(redis_server.url))
        self.sql_line = self._open.enter_context(FaultProxy.before(sql_url))
        self.settings = settings_for(
            var=var, database_url=self.sql_line.url(sql_url), redis_url=self.redis_line.url(redis_server.url)
        )
        self.direct: Settings = settings_for(var=var, database_url=sql_url, redis_url=redis_server.url)
        self.redis = self._open.enter_context(redis_server.client())
        self.database = Database(sql_url, patient=True)
        self._open.callback(self.database.dispose)
        self.layout = Layout()
        self.rung = Rung()
        self._lock = threading.Lock()
        self._furnish()
        self.web = self.start_web()

    def start_web(self, settings: Settings | None = None) -> Switchboard:
        """One more web process, of which nothing is warm."""
        board = Switchboard(settings or self.settings, self.redis)
        self._open.callback(board.close)
        return board

    def warm(self) -> None:
        """Index and snapshot are there, every connection is open."""
        self.keep_index()
        HostKeeper(self.direct, self.database).keep()
        for to in NUMBERS:
            self.ring(to)
        self.forget_times()

    def forget_times(self) -> None:
        self.rung.seconds.clear()

    def ring(self, to: str, web: Switchboard | None = None, at: datetime = NOW) -> float:
        """Ring one number, see that it is answered rightly, return the seconds that took."""
        form = a_call(to)
        board = web or self.web
        began = time.monotonic()
        heard = board.post(VOICE, urlencode(form | {"HookswitchAt": at.isoformat()}))
        took = time.monotonic() - began
        answers_rightly(to, Heard(heard))
        with self._lock:
            self.rung.sids.append(form["CallSid"])
            self.rung.seconds.append(took)
        return took

    def ring_all(self, rounds: int = 1, web: Switchboard | None = None) -> list[float]:
        return [self.ring(to, web) for _ in range(rounds) for to in NUMBERS]

    def keep_index(self) -> None:
        IndexKeeper(self.database, self.redis, self.layout).keep()

    def drop_index(self) -> None:
        self.redis.delete(self.layout.live(0))

    def drain(self) -> None:
        """Do what workers do: journal and spool into the log."""
        drain = Drain(Journal(self.redis, self.layout), self.database, "worker")
        while drain.drain(wait_ms=1):
            pass
        HostKeeper(self.direct, self.database).keep()

    def logged(self) -> Counter[str]:
        with self.database.reading() as session:
            return Counter(session.scalars(select(Call.call_sid)))

    def every_call_is_logged_once(self) -> None:
        self.drain()
        assert self.logged() == Counter(self.rung.sids)
        assert set(self.logged().values()) <= {1}

    def edit(self, change: Callable[[Campaign], None], campaign: str = "live") -> None:
        with self.database.session() as session:
            change(session.scalars(select(Campaign).where(Campaign.name == campaign)).one())

    def close(self) -> None:
        self._open.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _furnish(self) -> None:
        ended = {
            "starts_at": NOW - timedelta(days=90),
            "ends_at": NOW - timedelta(days=3),
            "end_of_campaign": EndOfCampaign.REFERRAL,
            "business_name": "Bay Bakery",
            "business_number": PhoneNumber("+14155550190"),
        }
        with self.database.session() as session:
            group = a_group(session, plan_id=a_plan(session).id).id
            a_number(session, PhoneNumber(LIVE), a_campaign(session, name="live", group_id=group))
            a_number(
                session, PhoneNumber(REFERRAL), a_campaign(session, name="ended", group_id=group, **ended)
            )
            a_number(
                session,
                PhoneNumber(PAUSED),
                a_campaign(session, name="paused", group_id=group, enabled=False),
            )


def answers_rightly(to: str, heard: Heard) -> None:
    """The one answer that this number has, whatever is broken."""
    match to:
        case "+15005550100":
            assert heard.verbs == ["Dial"], heard.verbs
            assert heard.dialled == BUSINESS.e164
        case "+15005550101":
            assert heard.verbs[0] == "Say", heard.verbs
            assert "Bay Bakery" in heard.spoken
        case _:
            assert heard.verbs == ["Reject"], heard.verbs


class Crowd:
    """A few threads that ring all numbers until told to stop; what fails in one fails the test."""

    def __init__(self, premises: Premises, threads: int = 4) -> None:
        self._premises = premises
        self._stop = threading.Event()
        self._failures: list[BaseException] = []
        self._threads = [threading.Thread(target=self._ring) for _ in range(threads)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        if self._failures:
            raise self._failures[0]

    def _ring(self) -> None:
        try:
            while not self._stop.is_set():
                self._premises.ring_all()
        except BaseException as error:  # noqa: BLE001 - it is raised where the test can see it
            self._failures.append(error)
