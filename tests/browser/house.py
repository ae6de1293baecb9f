"""A whole installation on a port of its own: the real application on real stores, with the demo in it.

One serves all tests of a process: making it and its pages' templates takes longer than most walks.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import redis
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from admin.access.passwords import Passwords
from admin.access.sessions import open_session
from models.database import Database
from models.outbox import discard, pending
from models.user import User
from routing.index.layout import Layout
from scripts import demo, index_keeping
from scripts.call_reports import reports
from scripts.settings import Secret, TwilioAccount
from tests.services.commands import ROOT
from tests.services.ports import free_port
from tests.services.postgres import Databases
from tests.services.twilio_numbers import TwilioNumbersServer
from tests.webhooks.switchboard import ACCOUNT, TOKEN, VOICE, Heard, Switchboard, a_call, settings_for

PASSWORD = "several words of mine"
_HASHED = Passwords().hash(PASSWORD)
"""Once for all tests: hashing is slow by design."""
ADMIN, OWNER = "admin@example.com", "owner@example.com"


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing of what went well."""


class House:
    """Serves until it is closed. Everybody of the demo may sign in with `PASSWORD`."""

    def __init__(
        self, databases: Databases, migrated: str, redis_url: str, client: redis.Redis, var: Path
    ) -> None:
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        self._databases = databases
        self._client = client
        self._furnished = _furnished(databases, migrated)
        self._url = databases.create_database(self._furnished)
        self.database = Database(self._url, patient=True)
        stores = {"database_url": self._url, "redis_url": redis_url, "var": var}
        self.shop = TwilioNumbersServer(ACCOUNT, TOKEN)
        self.shop.__enter__()
        account = TwilioAccount(ACCOUNT, Secret(TOKEN), None, self.shop.origin)
        settings = settings_for(public_base_url=self.address, port=port, twilio=account, **stores)
        self._var = var
        self._board = Switchboard(settings, client)
        self._server: BaseWSGIServer = make_server(
            "127.0.0.1", port, self._board.web.application, threaded=True, request_handler=_Quiet
        )
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._board.close()
        self.shop.__exit__()
        self.database.dispose()
        for url in (self._url, self._furnished):
            self._databases.drop_database(url)

    def tidy_up(self) -> None:
        """Make everything as it was when the demo had just been loaded."""
        self._databases.renew_database(self._url, self._furnished)
        self._client.flushall()
        self.shop.clear_out()
        index_keeping.rebuild(self.database, self._client, Layout())

    def session_of(self, email: str) -> str:
        """The cookie of a session that is open already."""
        with self.database.session() as session:
            user = session.get_one(User, self.user(email))
            return open_session(session, user, "", datetime.now(UTC))

    def call(self, number: str) -> str:
        """Ring a number by `hookswitch call` from another process; return what the command prints."""
        settings = self._board.settings
        environ = os.environ | {
            "PYTHONPATH": str(ROOT),
            "DATABASE_URL": settings.database_url,
            "REDIS_URL": settings.redis_url,
            "PUBLIC_BASE_URL": self.address,
            "SECRET_KEY": settings.secret_key.reveal(),
            "TWILIO_ACCOUNT_SID": ACCOUNT,
            "TWILIO_AUTH_TOKEN": TOKEN,
        }
        command = [sys.executable, "-m", "scripts.call", number]
        done = subprocess.run(command, cwd=self._var, env=environ, check=True, capture_output=True, text=True)
        return done.stdout

    def ring(
        self, number: str, *, ends: str = "", at: datetime | None = None, **fields: str
    ) -> dict[str, str]:
        """Ring a number within this process, until `ends` (a disposition; empty: it is still on).

        Returns what the carrier sent.
        """
        form = a_call(number) | fields
        rehearsed = {} if at is None else {"HookswitchAt": at.isoformat()}
        destination = Heard(self._board.post(VOICE, urlencode(form | rehearsed))).dialled
        if ends and destination:
            self.end(form, destination, ends, at)
        return form

    def end(self, form: dict[str, str], rung: str, ends: str, at: datetime | None = None) -> None:
        """Report what became of a call that `rung` was dialled for."""
        for event, report in reports(form, rung, ends, at or datetime.now(UTC)):
            self._board.post(f"/webhooks/twilio/{event}", urlencode(report))

    def look_after_numbers(self) -> None:
        """Carry out orders, as the worker does."""
        self._board.look_after_numbers()

    def write_log(self) -> None:
        """Move what has happened into the call log, as the worker does."""
        while self._board.drain():
            pass

    def write(self, change: Callable[[Session], None]) -> None:
        """Change something behind the page's back."""
        with self.database.session() as session:
            change(session)

    def user(self, email: str) -> int:
        with self.database.reading() as session:
            return session.scalars(select(User.id).where(User.email == email)).one()


def _furnished(databases: Databases, migrated: str) -> str:
    """A database with the demo, whose people have chosen their passwords."""
    url = databases.create_database(migrated)
    database = Database(url, patient=True)
    demo.load(database, datetime.now(UTC))
    with database.session() as session:
        for user in session.scalars(select(User)):
            user.password_hash = _HASHED
            user.password_changed_at = datetime.now(UTC) - timedelta(days=1)
        # The index is built from all of it: nothing is on its way any more.
        discard(session, [edit.id for edit in pending(session, 10_000)])
    database.dispose()
    return url
