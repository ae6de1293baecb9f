"""An operator who edits campaigns all along, through the models, as the page and the API do."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count

import redis

from models.campaign import Campaign
from models.database import Database
from models.tracking_number import held_number, hold_number
from routing.index.layout import Layout
from routing.index.writer import IndexWriter
from routing.link import RedisClient
from routing.numbers import PhoneNumber
from routing.route import EndOfCampaign
from scripts.demo import SAMPLES
from scripts.publication import Publication
from scripts.soak.answers import BUSINESS, REFERRED, REJECTED, Answer
from scripts.soak.truth import Edit, Truth

_FIRST = "+14155550110"
_SECOND = "+14155550111"
_LEFT_TO_WORKERS = 0.3
"""Share of the editors who die between commit and index."""
_LONGEST_PAUSE = 1.5


@dataclass(frozen=True, slots=True)
class Turn:
    """A way to edit: two states of a campaign and what callers hear in them."""

    name: str
    there: Callable[[Campaign, datetime], None]
    back: Callable[[Campaign, datetime], None]
    answers: tuple[Answer, Answer]
    """First before any edit and after `back`, then after `there`."""


def _pause(campaign: Campaign, _now: datetime) -> None:
    campaign.enabled = False


def _resume(campaign: Campaign, _now: datetime) -> None:
    campaign.enabled = True


def _end(campaign: Campaign, now: datetime) -> None:
    campaign.ends_at = now - timedelta(seconds=1)


def _extend(campaign: Campaign, _now: datetime) -> None:
    campaign.ends_at = None


def _redirect(campaign: Campaign, _now: datetime) -> None:
    campaign.destination = PhoneNumber(_SECOND)


def _direct(campaign: Campaign, _now: datetime) -> None:
    campaign.destination = PhoneNumber(_FIRST)


TURNS = (
    Turn("paused and resumed", _pause, _resume, (Answer("connect", _FIRST), REJECTED)),
    Turn("ended and extended", _end, _extend, (Answer("connect", _FIRST), REFERRED)),
    Turn("redirected", _redirect, _direct, (Answer("connect", _FIRST), Answer("connect", _SECOND))),
)


def number_of(turn: int) -> str:
    return f"+1500555012{turn}"


def furnish(database: Database, truth: Truth) -> None:
    """Add the campaigns that will be edited to the demo, and say what is right before any edit."""
    with database.session() as session:
        model = held_number(session, SAMPLES[0].number)
        if model is None or model.campaign_id is None:
            raise LookupError("the demo is not loaded")
        like = session.get_one(Campaign, model.campaign_id)
        for position, turn in enumerate(TURNS):
            campaign = Campaign(
                name=turn.name,
                group_id=like.group_id,
                owner_id=like.owner_id,
                starts_at=like.starts_at,
                end_of_campaign=EndOfCampaign.REFERRAL,
                business_name=BUSINESS,
                business_number=PhoneNumber(_FIRST),
                destination=PhoneNumber(_FIRST),
            )
            session.add(campaign)
            session.flush()
            hold_number(
                session,
                PhoneNumber(number_of(position)),
                group_id=like.group_id,
                carrier="twilio",
                campaign_id=campaign.id,
            )
            truth.edits[number_of(position)].append(Edit(turn.answers[0], 0.0, 0.0))


class Editor:
    """Edits from a thread of its own until `stop`; commits go to SQL directly, so that they are certain.

    The index is told by the way on which web processes reach it, or left to the workers.
    """

    def __init__(
        self, database: Database, client: RedisClient, layout: Layout, truth: Truth, chance: random.Random
    ) -> None:
        self.edits = 0
        self._database = database
        self._publication = Publication(database, IndexWriter(client, layout))
        self._truth = truth
        self._chance = chance
        self._stop = threading.Event()
        self._failed: list[Exception] = []
        self._thread = threading.Thread(target=self._run, name="editor")

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Raise what ended the thread before its time."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()
        if self._failed:
            raise self._failed[0]

    def _run(self) -> None:
        try:
            for turn in count():
                if self._stop.wait(self._chance.uniform(0, _LONGEST_PAUSE)):
                    return
                self._edit(turn % len(TURNS), there=turn // len(TURNS) % 2 == 0)
        except Exception as error:  # noqa: BLE001 - raised where the soak can see it
            self._failed.append(error)

    def _edit(self, position: int, *, there: bool) -> None:
        turn = TURNS[position]
        number = PhoneNumber(number_of(position))
        begun = time.monotonic()
        with self._database.session() as session:
            held = held_number(session, number)
            campaign = session.get_one(Campaign, held.campaign_id if held else None)
            (turn.there if there else turn.back)(campaign, datetime.now(UTC))
        edit = Edit(turn.answers[there], begun, time.monotonic())
        self._truth.edits[number.e164].append(edit)
        self.edits += 1
        if self._chance.random() < _LEFT_TO_WORKERS:
            return
        try:
            self._publication.publish()
        except redis.RedisError:
            return  # a worker does it
