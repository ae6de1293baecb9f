"""`/api/v1/routes/{number}`: what a caller of a number would get, and why."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from admin.access.actor import sees_group
from admin.api.operations import Asked, Resource
from admin.drafts import Draft, Instant, Reading
from admin.errors import FieldError, Invalid, NotThere
from admin.views import View
from models.tracking_number import last_holding
from routing.explanation import Explanation
from routing.numbers import NotE164, PhoneNumber

Explain = Callable[[PhoneNumber, datetime], Explanation]

ROUTE: dict[str, Any] = {
    "decision": "referral",
    "reason": "referral",
    "rule": "the campaign ended less than 30 days ago and refers its callers, as its plan allows",
    "source": "index",
    "at": "2026-12-24T17:00:00Z",
    "facts": {"tracking number": "+15005550103 (id 4, revision 1)", "refers to": "+14155550190"},
}


class Moment(Draft):
    at: Annotated[Instant | None, Field(description="The instant of the call; now, unless given.")] = None


class RouteView(View):
    """The decision on a call, the rule that makes it and the facts it is made on."""

    decision: Annotated[str, Field(description="`connect`, `referral`, `reject` or `apology`.")]
    reason: Annotated[str, Field(description="Which row of the decision table fits.")]
    rule: Annotated[str, Field(description="The same in words.")]
    source: Annotated[str, Field(description="Where the facts were read: `index`, `database` or `none`.")]
    at: Instant
    facts: dict[str, str]


def routes(explain: Explain) -> Resource:
    resource = Resource("routes", "Routes", "What a caller of a number would get at any instant, and why.")

    @resource.get(
        "/<number>",
        query=Moment,
        answers=RouteView,
        parts={"number": {"type": "string", "pattern": r"^\+?[1-9][0-9]{6,14}$", "example": "+15005550103"}},
        example=ROUTE,
    )
    def explain_route(asked: Asked, number: str) -> RouteView:
        """Explain what a caller of a number would get.

        No call is made and nothing is logged. The facts are read where a call would read them.
        """
        reading = Reading()
        at = reading.read(Moment, asked.query).at or asked.now
        reading.finish()
        dialled = _read(number)
        holding = last_holding(asked.session, dialled)
        if holding is None or not sees_group(asked.session, asked.actor, holding.group_id):
            raise NotThere("there is no such tracking number")
        return shown(explain(dialled, at))

    return resource


def shown(explanation: Explanation) -> RouteView:
    return RouteView(
        decision=explanation.decision,
        reason=explanation.reason,
        rule=explanation.rule,
        source=explanation.source,
        at=explanation.at,
        facts=dict(explanation.facts),
    )


def _read(number: str) -> PhoneNumber:
    try:
        return PhoneNumber.parse(number if number.startswith("+") else f"+{number.strip()}")
    except NotE164 as error:
        raise Invalid(FieldError("number", str(error))) from None
