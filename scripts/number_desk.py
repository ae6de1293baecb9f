"""What the commands about numbers share: a desk for their edits, who acts, and errors said in one line."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
import redis
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from admin.access.actor import Actor, on_the_server
from admin.desk import Desk
from admin.errors import Invalid, Refusal
from models.campaign import Campaign
from models.group import Group, ancestors
from models.tracking_number import held_number
from routing.index.writer import IndexWriter
from routing.numbers import PhoneNumber
from scripts.assembly import Parts, parts
from scripts.carrier import carrier_explained, check_may_ask
from scripts.logs import quiet_logs
from scripts.number_market import addresses_of, open_numbers
from scripts.publication import Publication, at_once
from webhooks.carriers.carrier_number import VoiceAddresses
from webhooks.carriers.errors import Refused

if TYPE_CHECKING:
    from webhooks.carriers.twilio_numbers import TwilioNumbers


@dataclass(frozen=True, slots=True)
class NumberDesk:
    """What a command about numbers works with."""

    parts: Parts
    desk: Desk

    def carrier(self) -> "TwilioNumbers":
        """The numbers of the account; a local trial's is not asked."""
        check_may_ask(self.parts.settings)
        return open_numbers(self.parts.settings)

    @property
    def addresses(self) -> VoiceAddresses:
        return addresses_of(self.parts.settings)

    def actor(
        self,
        *,
        campaign_id: int | None = None,
        group_id: int | None = None,
        number: PhoneNumber | None = None,
    ) -> Actor:
        """Whoever types on the server, as admin of the tree that has the campaign, group or number.

        Without any of them: of the one tree that there is.
        """
        with self.desk.reading() as session:
            return on_the_server(_root(session, campaign_id, group_id, number))


def _root(session: Session, campaign_id: int | None, group_id: int | None, number: PhoneNumber | None) -> int:
    campaign = None if campaign_id is None else session.get(Campaign, campaign_id)
    holding = None if number is None else held_number(session, number)
    named = group_id if campaign is None else campaign.group_id
    named = named if holding is None else holding.group_id
    way = [] if named is None else ancestors(session, named)
    if way:
        return way[0].id
    roots = session.scalars(select(Group.id).where(Group.parent_id.is_(None)).limit(2)).all()
    if not roots:
        raise click.ClickException("there is no group yet; create one first, with a user or a campaign")
    if campaign_id is not None or group_id is not None or number is not None:
        return roots[0]  # it is not there; the use case says so
    if len(roots) > 1:
        raise click.ClickException("there are several trees of groups; name a group with --group")
    return roots[0]


@contextmanager
def number_desk() -> Iterator[NumberDesk]:
    """Open the stores; what cannot be done is said in one line."""
    with parts() as opened, quiet_logs(), stores_explained(), refusals_explained(), carrier_explained():
        publication = Publication(opened.database, IndexWriter(opened.redis, opened.layout))
        yield NumberDesk(opened, Desk(opened.database, lambda: datetime.now(UTC), at_once(publication)))


@contextmanager
def refusals_explained() -> Iterator[None]:
    """Say in one line what was wrong with what was asked for."""
    try:
        yield
    except Invalid as invalid:
        told = "; ".join(f"{e.field.replace('_', ' ')} {e.message}".strip() for e in invalid.errors)
        raise click.ClickException(told) from invalid
    except Refusal as refusal:
        raise click.ClickException(str(refusal)) from refusal
    except Refused as refused:
        raise click.ClickException(f"the carrier {refused}") from refused


@contextmanager
def stores_explained() -> Iterator[None]:
    """Say in one line which store does not answer."""
    try:
        yield
    except redis.RedisError as error:
        raise click.ClickException(
            f"Redis does not answer ({type(error).__name__}); check REDIS_URL"
        ) from error
    except SQLAlchemyError as error:
        raise click.ClickException(
            f"the database does not answer rightly ({type(error).__name__}); try `hookswitch doctor`"
        ) from error


@contextmanager
def bar(verb: str, total: int | None) -> Iterator[Callable[[int], None]]:
    """A bar on stderr when that is a terminal; `total` None: nobody knows beforehand."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda _done: None
        return
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    with Progress(*columns, console=console) as progress:
        task = progress.add_task(verb, total=total)
        yield lambda done: progress.advance(task, done)


def printable(text: str) -> str:
    """Text of others as a terminal may show it: nothing in it is obeyed."""
    return "".join(filter(str.isprintable, text))
