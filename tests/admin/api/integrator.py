"""An installation with an API, and programs that use it."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.test import Client, TestResponse

from admin.access.credentials import digest_of
from models.api_token import ApiToken, Scope
from models.user import Role, User
from routing.link import RedisClient
from scripts.settings import Secret, TwilioAccount
from tests.builders import a_group, a_plan, a_user
from tests.webhooks.switchboard import ACCOUNT, TOKEN, TWILIO_API, Switchboard, settings_for

Sent = dict[str, Any] | list[Any] | str | bytes | None


@dataclass(frozen=True)
class Answer:
    """What the API said."""

    response: TestResponse

    @property
    def status(self) -> int:
        return self.response.status_code

    @property
    def json(self) -> Any:
        return json.loads(self.response.data)

    @property
    def etag(self) -> str:
        return self.response.headers["ETag"]

    @property
    def wrong(self) -> dict[str, str]:
        """What is wrong with which field."""
        return {error["field"]: error["message"] for error in self.json["errors"]}

    @property
    def detail(self) -> str:
        assert self.response.mimetype == "application/problem+json", self.response.data
        assert self.json["status"] == self.status
        return str(self.json["detail"])


class Integrator:
    """A program with a token, or (None) without one."""

    def __init__(self, application: Any, token: str | None) -> None:
        self._client = Client(application)
        self.token = token

    def send(self, method: str, path: str, sent: Sent = None, **headers: str) -> Answer:
        """Send JSON to a path below /api/v1; text and bytes are sent as they are."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.token is not None:
            named.setdefault("Authorization", f"Bearer {self.token}")
        body = sent if isinstance(sent, str | bytes | None) else json.dumps(sent)
        if body is not None:
            named.setdefault("Content-Type", "application/json")
        address = path if path.startswith("/api/") else f"/api/v1/{path}"
        return Answer(self._client.open(address, method=method, data=body, headers=named))

    def get(self, path: str, **headers: str) -> Answer:
        return self.send("GET", path, **headers)

    def post(self, path: str, sent: Sent = None, **headers: str) -> Answer:
        return self.send("POST", path, sent, **headers)

    def patch(self, path: str, sent: Sent, **headers: str) -> Answer:
        return self.send("PATCH", path, sent, **headers)

    def delete(self, path: str, **headers: str) -> Answer:
        return self.send("DELETE", path, **headers)

    def upload(self, method: str, path: str, **fields: Any) -> Answer:
        headers = {"Authorization": f"Bearer {self.token}"}
        return Answer(self._client.open(f"/api/v1/{path}", method=method, data=fields, headers=headers))


@dataclass(frozen=True)
class People:
    """A root group with two branches; the plan of all includes referral."""

    root: int
    north: int
    south: int
    ada: User
    """Admin of all."""
    nora: User
    """Admin of the north."""
    otis: User
    """Standard user of the north."""
    sue: User
    """Admin of the south."""


def the_people(session: Session) -> People:
    root = a_group(session, name="Bay Bakery", plan_id=a_plan(session).id).id
    north = a_group(session, name="North", parent_id=root).id
    south = a_group(session, name="South", parent_id=root).id
    return People(
        root,
        north,
        south,
        ada=a_user(session, name="Ada", group_id=root),
        nora=a_user(session, name="Nora", group_id=north),
        otis=a_user(session, name="Otis", group_id=north, role=Role.STANDARD),
        sue=a_user(session, name="Sue", group_id=south),
    )


class Premises:
    """A running installation with its people."""

    def __init__(
        self, database_url: str, client: RedisClient, redis_url: str, var: Path, carrier: str = TWILIO_API
    ) -> None:
        """`carrier` is where its REST API is; the real one is not asked, as this is a local trial."""
        settings = settings_for(
            var=var,
            database_url=database_url,
            redis_url=redis_url,
            metrics_address=None,
            twilio=TwilioAccount(ACCOUNT, Secret(TOKEN), None, carrier),
        )
        self.board = Switchboard(settings, client)
        self.application = self.board.web.application
        self.database = self.board.database
        with self.database.session() as session:
            self.people = the_people(session)

    @property
    def flask(self) -> Flask:
        mount: Any = self.application
        behind: Flask = mount._application
        return behind

    def program_of(self, user: User, scope: Scope = Scope.ADMIN) -> Integrator:
        token = f"hs_{user.id}_{scope}"
        with self.database.session() as session:
            session.add(
                ApiToken(
                    user_id=user.id,
                    name="crm",
                    token_hash=digest_of(token),
                    scope=scope,
                    created_at=datetime.now(UTC),
                )
            )
        return Integrator(self.application, token)

    def stranger(self) -> Integrator:
        return Integrator(self.application, None)

    def close(self) -> None:
        self.board.close()
