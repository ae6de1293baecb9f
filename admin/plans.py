"""Plans: what a subscription includes; a matter of the whole account's admins."""

from datetime import datetime

from sqlalchemy.orm import Session

from admin.access.actor import Actor
from admin.drafts import Draft, Name
from models.plan import Plan


class PlanFields(Draft):
    name: Name | None = None
    includes_referral: bool = False


class NewPlan(PlanFields):
    name: Name


class PlanChanges(PlanFields):
    """What is sent is changed; without referral its campaigns refer nobody from the next call on."""


def create(session: Session, actor: Actor, raw: object, now: datetime) -> Plan:
    """Create a plan from a `NewPlan`; raise `NotAllowed`, `Invalid`, `Conflict` where the name is taken."""
    raise NotImplementedError


def revise(session: Session, actor: Actor, plan_id: int, raw: object, now: datetime) -> Plan:
    """Change what a `PlanChanges` names; raise `NotThere`, and as `create` does."""
    raise NotImplementedError
