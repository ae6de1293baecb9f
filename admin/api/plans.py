"""`/api/v1/plans`."""

from typing import Any

from admin import plans as use_cases
from admin.api.operations import Asked, Resource
from admin.lists import plans as lists
from admin.lists.plans import PlanFilters
from admin.plans import NewPlan, PlanChanges
from admin.views import Page, PlanView

plans = Resource(
    "plans",
    "Plans",
    "What a subscription includes. A group without a plan has its parent's; only admins of the whole "
    "account change plans.",
)

PLAN: dict[str, Any] = {"id": 2, "name": "Premium", "includes_referral": True, "groups": 3}


@plans.get(
    "",
    query=PlanFilters,
    answers=Page[PlanView],
    example={"items": [PLAN], "next_cursor": None, "total": None},
)
def list_plans(asked: Asked) -> Page[PlanView]:
    """List plans."""
    return lists.page(asked.session, asked.actor, asked.query, asked.now)


@plans.get("/<id:plan_id>", answers=PlanView, example=PLAN)
def show_plan(asked: Asked, plan_id: int) -> PlanView:
    """Show a plan."""
    return lists.one(asked.session, asked.actor, plan_id, asked.now)


@plans.create(
    "",
    body=NewPlan,
    sends={"name": "Premium", "includes_referral": True},
    answers=PlanView,
    example=PLAN,
)
def create_plan(asked: Asked) -> PlanView:
    """Create a plan."""
    plan = use_cases.create(asked.session, asked.actor, asked.raw, asked.now)
    return _shown(asked, plan.id)


@plans.patch(
    "/<id:plan_id>",
    body=PlanChanges,
    sends={"includes_referral": False},
    answers=PlanView,
    example=PLAN | {"includes_referral": False},
)
def revise_plan(asked: Asked, plan_id: int) -> PlanView:
    """Change a plan.

    Without the referral prompt, campaigns of its groups refer nobody from the next call on.
    """
    use_cases.revise(asked.session, asked.actor, plan_id, asked.raw, asked.now)
    return _shown(asked, plan_id)


def _shown(asked: Asked, plan_id: int) -> PlanView:
    asked.session.flush()
    return lists.one(asked.session, asked.actor, plan_id, asked.now)
