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
from routing.index.lookup import CampaignIndex, Miss
from routing.index.writer import IndexWriter
from routing.journal import Journal
from routing.numbers import PhoneNumber
from routing.recorder import Happening, Recorder
from routing.route import Route
from routing.router import Router
from routing.snapshot.reader import Snapshot
from routing.spool.replay import held
from routing.spool.writer import Spool
from routing.spooled import encode_happening
from scripts import settings as settings_of
from scripts.logs import set_up_logs
from scripts.metrics import Metrics
from scripts.publication import Publication
from scripts.settings import Settings
from scripts.stores import CALL_TIMEOUT, COUNT_TIMEOUT, EDIT_TIMEOUT, layout_of, open_redis
from webhooks.callbacks import CallbackWebhooks
from webhooks.carriers.twilio import Twilio
from webhooks.carriers.twilio_events import TwilioEvents
from webhooks.door import Door
from webhooks.fallback import FallbackWebhook
from webhooks.health import health, metrics
from webhooks.mount import Mount
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


@dataclass(frozen=True, slots=True)
class Web:
    """The application and what it holds open."""

    application: "WSGIApplication"
    close: Callable[[], None]


def create_app() -> "WSGIApplication":
    """Make the application that the environment describes; raise `BadSetting`."""
    settings = settings_of.load(settings_of.environment())
    set_up_logs(settings.log_level, settings.log_format)
    return join(settings).application


def join(settings: Settings) -> Web:
    """Join the parts.

    Connects to nothing: a process that starts while a store is down serves from the other.
    """
    snapshot, spool = Snapshot(settings.snapshot), Spool(settings.spool)
    counted = Metrics(
        {
            "hookswitch_snapshot_age_seconds": lambda: snapshot.age(datetime.now(UTC)).total_seconds(),
            "hookswitch_spool_waiting_bytes": lambda: held(settings.spool).bytes,
        }
    )
    database = Database(settings.database_url)
    client = open_redis(settings.redis_url, CALL_TIMEOUT)
    layout = layout_of(settings.redis_url)
    index = CampaignIndex(client, layout)
    # Reading and writing share a breaker: a database that hangs may cost three calls their patience.
    sql = Breaker()
    load = guarded(sql, loading_from(database), FactsUnavailable)
    breaker = Breaker()
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
        count=counted.answered,
        alert=counted.trouble,
    )
    flask = Flask(__name__, static_folder=None)
    flask.config["SECRET_KEY"] = settings.secret_key.reveal()
    flask.register_blueprint(health(readiness_of(index, loading_from(database), snapshot)))
    flask.register_blueprint(metrics(settings.metrics_token, counted.collect))
    flask.register_blueprint(recorded_prompts(database))
    close_admin = join_admin(flask, settings)
    events = TwilioEvents(settings.twilio.account_sid)
    called_back = CallbackWebhooks(door=door, events=events, recorder=recorder, find=router.find)
    mounted = {
        "/webhooks/twilio/voice": voice.answer,
        "/webhooks/twilio/fallback": FallbackWebhook(door, counted.answered).answer,
        "/webhooks/twilio/dial": called_back.dial,
        "/webhooks/twilio/status": called_back.status,
        "/webhooks/twilio/recording": called_back.recording,
    }

    def close() -> None:
        close_admin()
        client.close()
        database.dispose()
        snapshot.close()
        spool.close()

    whisper = WhisperWebhook(door, guarded(sql, loading_whispers_from(database), FactsUnavailable))
    return Web(Mount(flask, mounted, {"/webhooks/twilio/whisper/": whisper.answer}), close)


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
    serve_api(flask, desk=desk, gate=gate, room=room, passwords=passwords, limits=limits, explain=explain)
    serve_pages(
        flask,
        desk=desk,
        gate=gate,
        room=room,
        passwords=passwords,
        assets=assets_in(_ASSETS),
        explain=explain,
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

    publish_guarded = guarded(Breaker(threshold=1), publish, ConnectionError)
    return lambda: publish_guarded(PUBLISHED_AT_ONCE)


def loading_from(database: Database) -> Callable[[PhoneNumber], Route | None]:
    def load(number: PhoneNumber) -> Route | None:
        try:
            with database.reading() as session:
                return route_of(session, number)
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
    index: CampaignIndex, load: Callable[[PhoneNumber], Route | None], snapshot: Snapshot
) -> Callable[[], dict[str, bool]]:
    def answers(ask: Callable[[PhoneNumber], Route | None]) -> bool:
        try:
            ask(_ANY_NUMBER)
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
