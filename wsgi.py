"""The web application: the one place where its parts are joined. gunicorn calls `create_app`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import redis
from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from models import call_log
from models.database import Database
from models.routes import number_facts, route_of
from prompts.phrases import CONSENT_VERSION
from prompts.render import Renderer
from routing.arrival import FactsUnavailable
from routing.breaker import Breaker, guarded
from routing.index.condition import IndexCondition
from routing.index.lookup import CampaignIndex, Miss
from routing.index.writer import IndexWriter
from routing.journal import Journal
from routing.numbers import PhoneNumber
from routing.recorder import Happening, Recorder
from routing.route import Route
from routing.router import Router
from routing.snapshot.reader import Snapshot
from routing.spool.writer import Spool
from routing.spooled import encode_happening
from scripts import leaving, readings, vital_signs
from scripts import settings as settings_of
from scripts.assembly import Parts
from scripts.call_lines import Word, writer_of
from scripts.log_stream import LogStream
from scripts.logs import set_up_logs
from scripts.metrics import Metrics
from scripts.publication import Publication
from scripts.settings import Settings
from scripts.stores import CALL_TIMEOUT, COUNT_TIMEOUT, EDIT_TIMEOUT, layout_of, open_redis
from scripts.traffic import Traffic
from webhooks.callbacks import CallbackWebhooks
from webhooks.carriers.twilio import Twilio
from webhooks.carriers.twilio_events import TwilioEvents
from webhooks.door import Door
from webhooks.fallback import FallbackWebhook
from webhooks.health import health, metrics
from webhooks.mount import Mount
from webhooks.private_pages import PrivatePages
from webhooks.recorded_prompts import recorded_prompts
from webhooks.voice import VoiceWebhook
from webhooks.whisper import WhisperWebhook

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

_ANY_NUMBER = PhoneNumber("+15005550006")
"""Asked for by the readiness check; whether it exists does not matter."""
_ASSETS = Path(__file__).parent / ".assets"
"""Where `make setup` puts the page's files that are not ours."""
PUBLISHED_AT_ONCE = 2_000
"""Edits that one request carries to the index at most."""
_SLOW_REDIS = 0.15
"""Seconds: six in ten of what a caller may wait for it. Four threads get through 26 such calls a second."""
_SLOW_DATABASE = 0.5
"""Seconds: what one statement may take, and here stands for a handful of quick ones."""


@dataclass(frozen=True, slots=True)
class Web:
    """The application and what it holds open."""

    application: "WSGIApplication"
    close: Callable[[], None]


def create_app() -> "WSGIApplication":
    """Make the application that the environment describes; raise `BadSetting`."""
    settings = settings_of.load(settings_of.environment())
    return join(settings, set_up_logs(settings.log_level, settings.log_format)).application


def join(settings: Settings, stream: LogStream | None = None) -> Web:
    """Join the parts; each answered call has a line in `stream`, where there is one.

    Connects to nothing: a process that starts while a store is down serves from the other.
    """
    snapshot, spool = Snapshot(settings.snapshot), Spool(settings.spool)
    database = Database(settings.database_url)
    client = open_redis(settings.redis_url, CALL_TIMEOUT)
    layout = layout_of(settings.redis_url)
    index = CampaignIndex(client, layout)
    load_unguarded = loading_from(database)
    breaker = Breaker(lambda: index.route_of(_ANY_NUMBER), slow=_SLOW_REDIS)
    # Reading and writing share a breaker: a database that hangs may cost three calls their patience.
    sql = Breaker(lambda: load_unguarded(_ANY_NUMBER, ()), slow=_SLOW_DATABASE)
    load = guarded(sql, load_unguarded, FactsUnavailable)
    counted = Metrics(
        [
            *readings.of_host(settings, snapshot),
            *readings.of_redis(Journal(client, layout), IndexCondition(client, layout), breaker),
            readings.of_database(database, sql),
        ],
        {"redis": breaker, "sql": sql},
    )
    traffic = Traffic(counted, stream, call_lines_of(settings))
    recorder = Recorder(
        journal=Journal(client, layout),
        record=guarded(sql, recording_to(database), FactsUnavailable),
        spool=lambda happening: spool.append(encode_happening(happening)),
        breaker=breaker,
        count=counted.trouble,
    )
    router = Router(
        index=index,
        recorder=recorder,
        load=load,
        last_known=snapshot.route_of,
        breaker=breaker,
        count=counted.trouble,
    )
    twilio = Twilio(settings.twilio.account_sid, settings.public_base_url, settings.twilio.tokens)
    door = Door(twilio, counted.refused)
    voice = VoiceWebhook(
        door=door,
        router=router,
        renderer=Renderer(settings.public_base_url, callbacks=True),
        clock=lambda: datetime.now(UTC),
        rehearsal=settings.is_local,
        answered=traffic.answered,
        failed=lambda: counted.without_facts("last_resort"),
        alert=counted.trouble,
    )
    ready = readiness_of(index, load_unguarded, snapshot)
    flask = Flask(__name__, static_folder=None)
    flask.config["SECRET_KEY"] = settings.secret_key.reveal()
    flask.register_blueprint(health(ready, leaving.is_announced))
    flask.register_blueprint(recorded_prompts(database))
    close_admin = join_admin(flask, settings)
    pages: WSGIApplication = flask
    if settings.metrics_address is not None:
        private = Flask(__name__, static_folder=None)
        private.register_blueprint(health(ready, leaving.is_announced))
        private.register_blueprint(metrics(counted.collect))
        pages = PrivatePages(settings.metrics_address, private, flask)
    events = TwilioEvents(settings.twilio.account_sid)
    called_back = CallbackWebhooks(door=door, events=events, recorder=recorder, find=router.find)
    mounted = {
        "/webhooks/twilio/voice": voice.answer,
        "/webhooks/twilio/fallback": FallbackWebhook(door, counted.without_facts).answer,
        "/webhooks/twilio/dial": called_back.dial,
        "/webhooks/twilio/status": called_back.status,
        "/webhooks/twilio/recording": called_back.recording,
    }

    def close() -> None:
        close_admin()
        traffic.close()
        client.close()
        database.dispose()
        snapshot.close()
        spool.close()

    whisper = WhisperWebhook(door, guarded(sql, loading_whispers_from(database), FactsUnavailable))
    return Web(Mount(pages, mounted, {"/webhooks/twilio/whisper/": whisper.answer}), close)


def join_admin(flask: Flask, settings: Settings) -> Callable[[], None]:
    """Add what operators use to the application; return what closes what it holds open.

    It has a database and Redis connections of its own, so that operators never use up those of calls.
    """
    # Loaded here: importing this module stays quick for whoever only wants a part of it.
    from admin.access.gate import Gate
    from admin.access.passwords import Passwords
    from admin.api.application import serve_api
    from admin.api.limits import Counters, Limits
    from admin.desk import Desk
    from admin.explaining import Explainer
    from admin.room import Room
    from admin.ui.application import serve_pages
    from admin.ui.assets import assets_in
    from scripts.web_market import WebMarket
    from webhooks.outgoing.addresses import AddressRules

    database = Database(settings.database_url, unhurried=True)
    client = open_redis(settings.redis_url, EDIT_TIMEOUT)
    counting = open_redis(settings.redis_url, COUNT_TIMEOUT)
    layout = layout_of(settings.redis_url)
    publication = Publication(database, IndexWriter(client, layout))
    desk = Desk(database, lambda: datetime.now(UTC), publishing(publication))
    gate = Gate(
        desk,
        secret_key=settings.secret_key.reveal(),
        public_base_url=settings.public_base_url,
        trusted_proxies=settings.trusted_proxies,
    )
    explainer = Explainer(CampaignIndex(client, layout), loading_from(database))
    # Shared by both doors: what they may take of this process together is bounded.
    room, passwords = Room(), Passwords()
    limits, explain = Limits(Counters(counting)), explainer.explain
    refusal_of = AddressRules(settings.webhook_networks).refusal
    parts = Parts(settings, database, client, layout)
    market = WebMarket(settings)
    serve_api(
        flask,
        desk=desk,
        gate=gate,
        room=room,
        passwords=passwords,
        limits=limits,
        explain=explain,
        refusal_of=refusal_of,
        market=market,
    )
    serve_pages(
        flask,
        desk=desk,
        gate=gate,
        room=room,
        passwords=passwords,
        assets=assets_in(_ASSETS),
        explain=explain,
        examine=lambda: vital_signs.examine(parts),
        refusal_of=refusal_of,
        market=market,
    )

    def close() -> None:
        client.close()
        counting.close()
        database.dispose()

    return close


def publishing(publication: Publication) -> Callable[[], None]:
    """Publish edits at once while Redis answers; the worker does what is left undone."""

    def publish(at_most: int) -> None:
        try:
            publication.publish(at_most)
        except redis.RedisError as error:
            raise ConnectionError(type(error).__name__) from error

    breaker = Breaker(lambda: publish(PUBLISHED_AT_ONCE), threshold=1)
    publish_guarded = guarded(breaker, publish, ConnectionError)
    return lambda: publish_guarded(PUBLISHED_AT_ONCE)


def call_lines_of(settings: Settings) -> Word | None:
    """How calls are put into the log, unless LOG_LEVEL leaves them out."""
    return writer_of(settings.log_format) if settings.log_level in {"DEBUG", "INFO"} else None


def loading_from(database: Database) -> Callable[[PhoneNumber, tuple[str, ...]], Route | None]:
    def load(number: PhoneNumber, patterns: tuple[str, ...]) -> Route | None:
        try:
            with database.reading() as session:
                return route_of(session, number, patterns)
        except SQLAlchemyError as error:
            raise FactsUnavailable(type(error).__name__) from error

    return load


def loading_whispers_from(database: Database) -> Callable[[int], str | None]:
    def load(number_id: int) -> str | None:
        try:
            with database.reading() as session:
                facts = number_facts(session, [number_id]).get(number_id)
        except SQLAlchemyError as error:
            raise FactsUnavailable(type(error).__name__) from error
        return None if facts is None else facts.whisper

    return load


def recording_to(database: Database) -> Callable[[Happening], None]:
    def record(happening: Happening) -> None:
        try:
            call_log.record(database, [happening], datetime.now(UTC), CONSENT_VERSION)
        except SQLAlchemyError as error:
            raise FactsUnavailable(type(error).__name__) from error

    return record


def readiness_of(
    index: CampaignIndex, load: Callable[[PhoneNumber, tuple[str, ...]], Route | None], snapshot: Snapshot
) -> Callable[[], dict[str, bool]]:
    def answers(ask: Callable[[PhoneNumber, tuple[str, ...]], Route | None]) -> bool:
        try:
            ask(_ANY_NUMBER, ())
        except FactsUnavailable:
            return False
        return True

    def ready() -> dict[str, bool]:
        try:
            index_answers = index.route_of(_ANY_NUMBER) is not Miss.NO_INDEX
        except redis.RedisError:
            index_answers = False
        return {"index": index_answers, "database": answers(load), "snapshot": answers(snapshot.route_of)}

    return ready
