"""An account for tests: a root with two regions, one of them with a branch, and people in each.

root (plan with referral)        ada, an admin; otis, a standard user
├─ north                         ned, an admin; olga and dora, standard users, dora disabled
│  └─ branch                     bert, a standard user
└─ south (plan without)          sam, an admin; stan, a standard user
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy.orm import Session

from admin import campaigns, numbers
from admin.access.actor import Actor
from models.api_token import Scope
from models.audit import Via
from models.campaign import Campaign
from models.database import Database
from models.group import Group
from models.tracking_number import TrackingNumber
from models.user import Role, User, UserStatus
from routing.numbers import PhoneNumber
from tests.builders import NOW, a_group, a_plan, a_user

PHONE = PhoneNumber("+14155550100")
"""Of the root: it makes the account American."""


class Office:
    def __init__(self, database: Database) -> None:
        self.database = database
        with database.session() as session:
            self.full = a_plan(session, name="Full", includes_referral=True).id
            self.basic = a_plan(session, name="Basic", includes_referral=False).id
            self.root = self._group(session, "Root", plan_id=self.full, phone=PHONE)
            self.north = self._group(session, "North", parent_id=self.root)
            self.branch = self._group(session, "Branch", parent_id=self.north)
            self.south = self._group(session, "South", parent_id=self.root, plan_id=self.basic)
            self.ada = self._person(session, "Ada", self.root, Role.ADMIN)
            self.otis = self._person(session, "Otis", self.root)
            self.ned = self._person(session, "Ned", self.north, Role.ADMIN)
            self.olga = self._person(session, "Olga", self.north)
            self.dora = self._person(session, "Dora", self.north, status=UserStatus.DISABLED)
            self.bert = self._person(session, "Bert", self.branch)
            self.sam = self._person(session, "Sam", self.south, Role.ADMIN)
            self.stan = self._person(session, "Stan", self.south)

    @contextmanager
    def writing(self, actor: Actor) -> Iterator[Session]:
        with self.database.session(actor.author) as session:
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        with self.database.reading() as session:
            yield session

    def campaign(self, actor: Actor, **said: Any) -> int:
        """The id of a live campaign without an end that `actor` created."""
        with self.writing(actor) as session:
            draft = {"name": "Leaflet", "starts_at": "2026-03-01T00:00:00Z", "destination": "+14155550123"}
            return campaigns.create(session, actor, draft | said, NOW).id

    def number(self, actor: Actor, number: str, campaign_id: int | None = None, **said: Any) -> int:
        """The id of a number that `actor` created."""
        with self.writing(actor) as session:
            draft = {"number": number, "campaign_id": campaign_id} | said
            return numbers.create(session, actor, draft, NOW).id

    def stored_campaign(self, campaign_id: int) -> Campaign:
        with self.reading() as session:
            return session.get_one(Campaign, campaign_id)

    def stored_number(self, number_id: int) -> TrackingNumber:
        with self.reading() as session:
            return session.get_one(TrackingNumber, number_id)

    def stored_group(self, group_id: int) -> Group:
        with self.reading() as session:
            return session.get_one(Group, group_id)

    def promote(self, actor: Actor, role: Role) -> Actor:
        """The same person with another role."""
        with self.database.session() as session:
            session.get_one(User, actor.user_id).role = role
        return Actor(actor.user_id, actor.group_id, role, actor.time_zone)

    @staticmethod
    def reader(actor: Actor) -> Actor:
        """The same person by a token that only reads."""
        return Actor(actor.user_id, actor.group_id, actor.role, actor.time_zone, Scope.READ, Via.API)

    @staticmethod
    def writer(actor: Actor) -> Actor:
        """The same person by a token that writes and does not administer."""
        return Actor(actor.user_id, actor.group_id, actor.role, actor.time_zone, Scope.WRITE, Via.API)

    @staticmethod
    def _group(session: Session, name: str, **said: Any) -> int:
        return a_group(session, name=name, **said).id

    @staticmethod
    def _person(session: Session, name: str, group_id: int, role: Role = Role.STANDARD, **said: Any) -> Actor:
        user = a_user(session, name=name, email=f"{name}@example.com", group_id=group_id, role=role, **said)
        return Actor(user.id, group_id, role, "UTC")


def problems(refusal: Any) -> dict[str, str]:
    """What a refused draft was told, by field."""
    return {error.field: error.message for error in refusal.value.errors}
