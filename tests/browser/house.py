"""A whole installation on a port of its own: the real application on real stores, with the demo in it."""

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
from models.database import Database
from models.user import User
from routing.index.layout import Layout
from scripts import demo, index_keeping
from scripts.call_reports import reports
from scripts.settings import Secret, TwilioAccount
from tests.services.commands import ROOT
from tests.services.ports import free_port
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

    def __init__(self, database_url: str, redis_url: str, client: redis.Redis, var: Path) -> None:
        port = free_port()
        self.address = f"http://127.0.0.1:{port}"
        self.database = Database(database_url, patient=True)
        demo.load(self.database, datetime.now(UTC))
        self._let_in()
        index_keeping.rebuild(self.database, client, Layout())
        stores = {"database_url": database_url, "redis_url": redis_url, "var": var}
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

    def _let_in(self) -> None:
        with self.database.session() as session:
            for user in session.scalars(select(User)):
                user.password_hash = _HASHED
                user.password_changed_at = datetime.now(UTC) - timedelta(days=1)
