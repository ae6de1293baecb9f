"""Plans: what a subscription includes; a matter of the whole account's admins."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from admin.access.actor import Actor
from admin.drafts import Draft, Name, Reading
from admin.errors import Conflict, NotAllowed, NotThere
from models.group import Group
from models.plan import Plan


class PlanFields(Draft):
    name: Name | None = None
    includes_referral: bool = False


class NewPlan(PlanFields):
    name: Name


class PlanChanges(PlanFields):
    """What is sent is changed; without referral its campaigns refer nobody from the next call on."""


def create(session: Session, actor: Actor, raw: object, now: datetime) -> Plan:  # noqa: ARG001
    """Create a plan from a `NewPlan`; raise `NotAllowed`, `Invalid`, `Conflict` where the name is taken."""
    require_whole_account(session, actor)
    reading = Reading()
    draft = reading.read(NewPlan, raw)
    reading.finish()
    plan = Plan(name=draft.name, includes_referral=draft.includes_referral)
    with _named_alone(session):
        session.add(plan)
    return plan


def revise(session: Session, actor: Actor, plan_id: int, raw: object, now: datetime) -> Plan:  # noqa: ARG001
    """Change what a `PlanChanges` names; raise `NotThere`, and as `create` does."""
    require_whole_account(session, actor)
    plan = session.get(Plan, plan_id)
    if plan is None:
        raise NotThere("there is no such plan")
    reading = Reading()
    draft = reading.read(PlanChanges, raw)
    if draft.sent.get("name", "") is None:
        reading.add("name", "is mandatory")
    reading.finish()
    with _named_alone(session):
        for name, value in draft.sent.items():
            setattr(plan, name, value)
    return plan


def is_of_the_whole_account(session: Session, actor: Actor) -> bool:
    """Whether the actor's group has no other above it."""
    return session.get_one(Group, actor.group_id).parent_id is None


def require_whole_account(session: Session, actor: Actor) -> None:
    """Raise `NotAllowed` unless he administers the account as a whole."""
    actor.require_administration()
    if not is_of_the_whole_account(session, actor):
        raise NotAllowed("only admins of the whole account may do this")


def require_seeing(session: Session, actor: Actor) -> None:
    """Raise `NotAllowed` unless he is an admin of the account as a whole, by whatever door."""
    if not (actor.is_admin and is_of_the_whole_account(session, actor)):
        raise NotAllowed("only admins of the whole account may see this")


@contextmanager
def _named_alone(session: Session) -> Iterator[None]:
    try:
        with session.begin_nested():
            yield
            session.flush()
    except IntegrityError:
        raise Conflict("name", "another plan has this name") from None
