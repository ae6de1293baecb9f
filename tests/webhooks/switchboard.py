"""A whole installation in one process, and a carrier that rings it."""

import secrets
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlencode

from structlog.testing import capture_logs
from twilio.request_validator import RequestValidator
from werkzeug.test import Client, TestResponse

import wsgi
from models.database import Database
from routing.index.layout import Layout
from routing.index.writer import IndexWriter
from routing.journal import Journal
from routing.link import RedisClient
from scripts import index_keeping
from scripts.draining import Drain
from scripts.number_keeping import NumberKeeper
from scripts.publication import Publication, at_once
from scripts.settings import Secret, Settings, TwilioAccount

ACCOUNT = "AC" + "5" * 32
TOKEN = "0123456789abcdef"
VOICE = "/webhooks/twilio/voice"
TWILIO_API = "https://api.twilio.com"


@dataclass(frozen=True, slots=True)
class Heard:
    """What the carrier was told to do."""

    response: TestResponse

    @property
    def document(self) -> ET.Element:
        assert self.response.status_code == 200, self.response.status
        return ET.fromstring(self.response.data)

    @property
    def verbs(self) -> list[str]:
        return [verb.tag for verb in self.document]

    @property
    def dialled(self) -> str | None:
        return self.document.findtext("Dial/Number")

    @property
    def spoken(self) -> str:
        return " ".join("".join(say.itertext()) for say in self.document.iter("Say"))


class Arrived:
    """A connection that came to a port, as gunicorn hands it to the application."""

    def __init__(self, port: int) -> None:
        self._port = port

    def getsockname(self) -> tuple[str, int]:
        return "127.0.0.1", self._port


class Switchboard:
    """Our side and the carrier's; Redis and SQL are real."""

    def __init__(self, settings: Settings, client: RedisClient) -> None:
        self.settings = settings
        self.redis = client
        self.layout = Layout()
        self.database = Database(settings.database_url, patient=True)
        self._web = wsgi.join(settings)
        self.web = Client(self._web.application)

    def rebuild_index(self) -> None:
        index_keeping.rebuild(self.database, self.redis, self.layout)

    def drain(self) -> int:
        return Drain(Journal(self.redis, self.layout), self.database, "test").drain(wait_ms=1)

    def look_after_numbers(self) -> None:
        """One round of a worker's loop for numbers."""
        publication = Publication(self.database, IndexWriter(self.redis, self.layout))
        with capture_logs():
            NumberKeeper(self.settings, self.database, publish=at_once(publication)).keep()

    def publish(self) -> int:
        return Publication(self.database, IndexWriter(self.redis, self.layout)).publish()

    def close(self) -> None:
        self.database.dispose()
        self._web.close()

    def metrics(self) -> dict[str, float]:
        """What Prometheus reads at the private address, by name and labels as they stand there."""
        page = self.web.get("/metrics", environ_overrides={"gunicorn.socket": Arrived(9464)})
        assert page.status_code == 200
        lines = [line.rsplit(" ", 1) for line in page.text.splitlines() if not line.startswith("#")]
        return {name: float(value) for name, value in lines}

    def ring(self, to: str, *, at: datetime | None = None, **fields: str) -> Heard:
        """Ring `to` as Twilio would, at the instant `at`."""
        form = a_call(to) | fields
        if at is not None:
            form["HookswitchAt"] = at.isoformat()
        return Heard(self.post(VOICE, urlencode(form)))

    def post(self, target: str, body: str | bytes, **more: Any) -> TestResponse:
        """Post a body, correctly signed for the public address."""
        headers = {"X-Twilio-Signature": self.sign(target, body)} | more.pop("headers", {})
        content_type = more.pop("content_type", "application/x-www-form-urlencoded")
        return self.web.post(target, data=body, headers=headers, content_type=content_type, **more)

    def sign(self, target: str, body: str | bytes, token: str = TOKEN) -> str:
        """Sign with the carrier's own library."""
        text = body.decode() if isinstance(body, bytes) else body
        signature: str = RequestValidator(token).compute_signature(
            self.settings.public_base_url + target, _Fields(text)
        )
        return signature


class _Fields(dict[str, list[str]]):
    """A form as the helper library wants it: all values of a name by `getlist`."""

    def __init__(self, body: str) -> None:
        super().__init__(parse_qs(body, keep_blank_values=True, max_num_fields=None))

    def getlist(self, name: str) -> list[str]:
        return self[name]


def a_call(to: str, **fields: str) -> dict[str, str]:
    """The fields of one call, each with a CallSid of its own."""
    return {
        "CallSid": "CA" + secrets.token_hex(16),
        "AccountSid": ACCOUNT,
        "ApiVersion": "2010-04-01",
        "CallStatus": "ringing",
        "Direction": "inbound",
        "From": "+14155550142",
        "FromCity": "SAN FRANCISCO",
        "FromState": "CA",
        "FromCountry": "US",
        "FromZip": "",
        "To": to,
    } | fields


def settings_for(**given: Any) -> Settings:
    """Settings of a local installation; `given` names the stores and what else differs."""
    values: dict[str, Any] = {
        "secret_key": Secret("k" * 32),
        "public_base_url": "http://127.0.0.1:8000",
        "fallback_url": "http://127.0.0.1:8000/webhooks/twilio/fallback",
        "twilio": TwilioAccount(ACCOUNT, Secret(TOKEN), None, TWILIO_API),
        "web_concurrency": 1,
        "port": 8000,
        "log_level": "INFO",
        "log_format": "json",
        "trusted_proxies": (),
        "metrics_address": "127.0.0.1:9464",
    }
    return Settings(**(values | given))
