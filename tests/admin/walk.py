"""Knock at every route of the application, as anybody."""

import io
import itertools
import re
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from werkzeug.test import Client, TestResponse

import wsgi
from admin.access import sessions
from admin.access.credentials import digest_of, seal
from models.api_token import ApiToken, Scope
from models.database import Database
from models.user import Role, User, UserStatus
from scripts.settings import Secret, TwilioAccount
from tests.admin.knocks import RECIPES, Call, Things
from tests.admin.page_knocks import PAGES
from tests.admin.people import somebody
from tests.builders import a_group, a_plan
from tests.services.twilio_numbers import TwilioNumbersServer
from tests.webhooks.switchboard import ACCOUNT, TOKEN, settings_for

_serial = itertools.count(1)
PEOPLE = ("nobody", "disabled", "standard", "owner", "admin elsewhere", "admin", "admin of all")


@dataclass(frozen=True)
class Person:
    """Somebody new, of one kind, with a session of his own (nobody has none)."""

    kind: str
    user: User | None
    cookie: str | None


class World:
    """An installation: a root group with a north and a south. What is asked for lies in the north."""

    def __init__(self, file: Path, redis_url: str) -> None:
        url = f"sqlite:///{file}"
        self.shop = TwilioNumbersServer(ACCOUNT, TOKEN)
        self.shop.__enter__()
        self.shop.sell("+14155551000", "+14155551001", "+14155551002")
        settings = settings_for(
            var=file.parent,
            database_url=url,
            redis_url=redis_url,
            metrics_address=None,
            twilio=TwilioAccount(ACCOUNT, Secret(TOKEN), None, self.shop.origin),
        )
        self.database = Database(url, patient=True)
        self._watching = sqlite3.connect(file)
        self._web = wsgi.join(settings)
        mount: Any = self._web.application
        self._client = Client(mount, use_cookies=False)
        self._key = settings.secret_key.reveal()
        self._flask = mount._application
        self._mounted = [*mount._handlers, *(f"{start}{{number_id}}" for start in mount._below)]
        with self.database.session() as session:
            self.root = a_group(session, plan_id=a_plan(session).id).id
            self.north = a_group(session, parent_id=self.root).id
            self.south = a_group(session, parent_id=self.root).id
            somebody(session, group_id=self.root)

    def routes(self) -> Iterator[str]:
        """Every method at every path, as `GET /api/v1/users/{user_id}`."""
        for rule in self._flask.url_map.iter_rules():
            for method in rule.methods - {"HEAD", "OPTIONS"}:
                yield f"{method} {_plain_path(rule.rule)}"
        for path in self._mounted:
            yield f"POST {path}"

    def somebody(self, kind: str) -> Person:
        if kind == "nobody":
            return Person(kind, None, None)
        group = {"admin elsewhere": self.south, "admin of all": self.root}.get(kind, self.north)
        role = Role.ADMIN if "admin" in kind else Role.STANDARD
        status = UserStatus.DISABLED if kind == "disabled" else UserStatus.ACTIVE
        with self.database.session() as session:
            user = somebody(session, group_id=group, role=role, status=status)
            return Person(kind, user, sessions.open_session(session, user, "", datetime.now(UTC)))

    def a_token(self, person: Person, scope: Scope) -> str:
        assert person.user is not None
        secret = f"hs_{person.user.id}_{scope}"
        now = datetime.now(UTC)
        with self.database.session() as session:
            session.add(
                ApiToken(
                    user_id=person.user.id,
                    name="walk",
                    token_hash=digest_of(secret),
                    scope=scope,
                    created_at=now,
                )
            )
        return secret

    def ask(self, route: str, person: Person) -> TestResponse:
        """Knock at a route as somebody, with everything that a page of ours would send."""
        return self.send(route, self.call(route, person), self.credentials(person))

    def credentials(self, person: Person) -> dict[str, str]:
        if person.cookie is None:
            return {}
        token = seal(self._key, "csrf", person.cookie)
        return {"Cookie": f"hookswitch={person.cookie}", "X-CSRF-Token": token}

    def version(self) -> int:
        """Another number as soon as anybody has changed anything in the database."""
        number: int = self._watching.execute("PRAGMA data_version").fetchone()[0]
        return number

    def call(self, route: str, person: Person) -> Call:
        with self.database.session() as session:
            return (RECIPES | PAGES)[route](Things(session, self.north, person.kind, person.user))

    def send(self, route: str, call: Call, headers: Mapping[str, str], method: str = "") -> TestResponse:
        usual, _, path = route.partition(" ")
        address = path.format(**call.path)
        how: dict[str, Any] = {"json": call.sent} if call.sent is not None else {}
        if call.form is not None:
            how = {"data": {name: _form_value(value) for name, value in call.form.items()}}
        # From an address of its own: what one knock at the door costs the next is not the question here.
        elsewhere = {"REMOTE_ADDR": f"2001:db8:{next(_serial):x}::1"}
        return self._client.open(
            address,
            method=method or usual,
            headers=dict(headers),
            query_string=dict(call.query) or None,
            environ_overrides=elsewhere,
            buffered=True,  # read to its end, as a browser does
            **how,
        )

    def close(self) -> None:
        self._web.close()
        self.shop.__exit__()
        self.database.dispose()
        self._watching.close()


def _form_value(value: object) -> object:
    return (io.BytesIO(value), "sound.wav") if isinstance(value, bytes) else value


def _plain_path(rule: str) -> str:
    return re.sub(r"<(?:[^:>]+:)?(\w+)>", r"{\1}", rule)
