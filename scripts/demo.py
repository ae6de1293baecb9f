"""A small demo: one business with campaigns in every state and a number or more for each.

The tracking numbers are made of Twilio's +1 500 555 test range, businesses answer at +1 415 555 01xx:
neither can be a real subscriber's.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from admin.access.links import revoke_links
from admin.access.passwords import Passwords
from models.base import Base
from models.campaign import Campaign
from models.database import Database
from models.group import Group
from models.plan import Plan
from models.prompt import Prompt, PromptKind
from models.tracking_number import TrackingNumber, held_number, hold_number
from models.user import Role, User, user_by_email
from routing.numbers import PhoneNumber
from routing.route import CallerId, EndOfCampaign


@dataclass(frozen=True, slots=True)
class Sample:
    """A number worth ringing, and what its caller gets."""

    number: PhoneNumber
    meaning: str


def _tracking(last_two: int) -> PhoneNumber:
    return PhoneNumber(f"+150055501{last_two:02d}")


def _answering(last_two: int) -> PhoneNumber:
    return PhoneNumber(f"+141555501{last_two:02d}")


ADMIN = "admin@example.com"

SAMPLES = (
    Sample(_tracking(0), "live: connects"),
    Sample(_tracking(1), "live, with a destination of its own"),
    Sample(_tracking(3), "referral: ended two days ago, says whom to call"),
    Sample(_tracking(4), "referral in Spanish"),
    Sample(_tracking(7), "ended: rejects"),
    Sample(_tracking(9), "scheduled: rejects until its start"),
    Sample(_tracking(10), "paused: rejects"),
    Sample(_tracking(11), "archived: rejects"),
    Sample(_tracking(12), "released: rejects"),
    Sample(_tracking(13), "not assigned to a campaign: rejects"),
)
"""One number or more of each state."""


def load(database: Database, now: datetime) -> bool:
    """Write the demo into a database that has no group yet; return whether it did.

    All instants are relative to the aware `now`; every state lasts for four weeks or more.
    """
    with database.session() as session:
        if session.scalar(select(Group.id).limit(1)) is not None:
            return False
        _Demo(session, now).write()
        return True


def open_to_admin(database: Database) -> str | None:
    """Give the demo's admin a password that must be changed at the first sign-in; return it.

    None: there is no demo, or its admin had a password before.
    """
    with database.reading() as session:
        if not _is_closed_to_admin(session):
            return None
    password = "-".join(secrets.token_hex(2) for _ in range(4))
    hashed = Passwords().hash(password)
    with database.session() as session:
        admin = user_by_email(session, ADMIN)
        if admin is None or not _is_closed_to_admin(session):
            return None
        # `password_changed_at` stays empty: until he has chosen one himself, he may do nothing else.
        admin.password_hash = hashed
        revoke_links(session, admin.id)
    return password


def _is_closed_to_admin(session: Session) -> bool:
    admin = user_by_email(session, ADMIN)
    has_demo = held_number(session, SAMPLES[0].number) is not None
    return has_demo and admin is not None and admin.password_hash is None


def is_loaded(database: Database) -> bool:
    """Whether the demo's first number can be rung."""
    with database.reading() as session:
        return held_number(session, SAMPLES[0].number) is not None


class _Demo:
    def __init__(self, session: Session, now: datetime) -> None:
        self._session = session
        self._now = now

    def write(self) -> None:
        self._write_people()
        self._write_live()
        self._write_over()
        self._write_silent()

    def _write_people(self) -> None:
        with_referral = Plan(name="Professional", includes_referral=True)
        without = Plan(name="Basic", includes_referral=False)
        self._add(with_referral, without)
        self._business = Group(
            name="Bay Bakery",
            external_id="demo",
            plan_id=with_referral.id,
            time_zone="America/Los_Angeles",
            industry="Food",
            phone=_answering(90),
            city="San Francisco",
        )
        self._add(self._business)
        self._branch = self._group("Bay Bakery North", _answering(91))
        self._basic_branch = self._group("Bay Bakery South", _answering(92), without.id)
        self._admin = self._user(ADMIN, "Ada Admin", Role.ADMIN)
        self._owner = self._user("owner@example.com", "Otis Owner", Role.STANDARD)

    def _write_live(self) -> None:
        spring = self._campaign("Leaflet", self._branch, external_id="LEAFLET-1", destination=_answering(90))
        self._number(0, "Front page", spring)
        self._number(
            1, "Back page", spring, destination=_answering(93), whisper="A call from the back of the leaflet."
        )
        website = self._campaign("Website", self._branch, destination=_answering(91), ends=180)
        self._number(2, "Contact page", website, caller_id=CallerId.TRACKING_NUMBER, ring_timeout=25)

    def _write_over(self) -> None:
        for last_two, language, name in (
            (3, "en", "Radio"),
            (4, "es", "Radio, Spanish"),
            (5, "fr", "Radio, French"),
            (6, "de", "Radio, German"),
        ):
            prompt = Prompt(group_id=self._business.id, name=name, kind=PromptKind.TEXT, language=language)
            self._add(prompt)
            ended = self._campaign(name, self._business, ends=-2, refers=True, prompt_id=prompt.id)
            self._number(last_two, "Spot", ended)
        self._number(7, "Poster", self._campaign("Winter poster", self._branch, ends=-10))
        # Wants to refer its callers, but its plan does not include that.
        self._number(8, "Stand", self._campaign("Market", self._basic_branch, ends=-2, refers=True))

    def _write_silent(self) -> None:
        self._number(9, "Cover", self._campaign("Autumn magazine", self._branch, starts=120, ends=240))
        self._number(10, "Flyer", self._campaign("Flyer", self._branch, enabled=False))
        archived = self._campaign("Opening day", self._branch, ends=-60)
        archived.archived_at = self._now - timedelta(days=30)
        self._number(11, "Banner", archived)
        self._number(12, "Old van", None).release(self._now - timedelta(days=1))
        self._number(13, "Spare", None)

    def _group(self, name: str, phone: PhoneNumber, plan_id: int | None = None) -> Group:
        group = Group(
            name=name,
            parent_id=self._business.id,
            plan_id=plan_id,
            time_zone=self._business.time_zone,
            phone=phone,
        )
        self._add(group)
        return group

    def _user(self, email: str, name: str, role: Role) -> User:
        user = User(
            email=email, name=name, role=role, group_id=self._business.id, time_zone=self._business.time_zone
        )
        self._add(user)
        return user

    def _campaign(
        self,
        name: str,
        group: Group,
        *,
        starts: int = -90,
        ends: int | None = None,
        refers: bool = False,
        enabled: bool = True,
        external_id: str | None = None,
        prompt_id: int | None = None,
        destination: PhoneNumber | None = None,
    ) -> Campaign:
        """Add a campaign that starts and ends so many days from now."""
        campaign = Campaign(
            name=name,
            external_id=external_id,
            group_id=group.id,
            owner_id=self._owner.id,
            enabled=enabled,
            starts_at=self._now + timedelta(days=starts),
            ends_at=None if ends is None else self._now + timedelta(days=ends),
            end_of_campaign=EndOfCampaign.REFERRAL if refers else EndOfCampaign.NORMAL,
            business_name=self._business.name,
            business_number=self._business.phone,
            prompt_id=prompt_id,
            destination=destination or group.phone,
        )
        self._add(campaign)
        return campaign

    def _number(
        self,
        last_two: int,
        name: str,
        campaign: Campaign | None,
        *,
        destination: PhoneNumber | None = None,
        whisper: str | None = None,
        ring_timeout: int | None = None,
        caller_id: CallerId = CallerId.CALLER,
    ) -> TrackingNumber:
        return hold_number(
            self._session,
            _tracking(last_two),
            group_id=self._branch.id if campaign is None else campaign.group_id,
            carrier="twilio",
            campaign_id=None if campaign is None else campaign.id,
            name=name,
            destination=destination,
            whisper=whisper,
            ring_timeout=ring_timeout,
            caller_id=caller_id,
        )

    def _add(self, *rows: Base) -> None:
        self._session.add_all(rows)
        self._session.flush()
