"""`/api/v1/tracking-numbers`."""

from typing import Annotated, Any

from pydantic import Field

from admin import number_releases
from admin import numbers as use_cases
from admin.api.operations import Asked, Resource
from admin.drafts import Instant, Phone
from admin.lists import numbers as lists
from admin.lists.numbers import NumberFilters
from admin.number_filling import NewNumber
from admin.number_releases import Terms
from admin.numbers import Move, NewNumbers, NumberChanges
from admin.views import NumberView, Page, View
from models.call_usage import Usage

tracking_numbers = Resource(
    "tracking-numbers",
    "Tracking numbers",
    "The numbers that are published and dialled. A number is unique while it is held; released and held "
    "again it is another entry. What it does not say itself comes from its campaign.",
)

NUMBER: dict[str, Any] = {
    "id": 12,
    "number": "+15005550100",
    "national": "(500) 555-0100",
    "campaign_id": 7,
    "campaign_name": "Summer leaflet",
    "campaign_external_id": "SL-2026",
    "group_id": 2,
    "group_name": "Bay Bakery North",
    "name": "leaflet, page 1",
    "active": True,
    "destination": None,
    "whisper": None,
    "ring_timeout": None,
    "record_calls": False,
    "caller_id": "caller",
    "status": "active",
    "released_at": None,
    "carrier": "twilio",
    "carrier_sid": None,
    "revision": 1,
    "created_at": "2026-06-20T16:25:00Z",
    "updated_at": "2026-06-20T16:25:00Z",
}


class HeldNumber(View):
    id: int
    number: Phone
    campaign_id: int | None
    revision: int


class HeldNumbers(View):
    """What was created, in the order in which it was sent."""

    items: list[HeldNumber]


class UsageView(View):
    """How much a number is called, and what speaks against giving it back."""

    last_call_at: Instant | None
    calls_45_days: int
    calls_90_days: int
    callers_90_days: int
    reasons_to_keep: Annotated[list[str], Field(description="none: it can be released without more ado")]
    returns_at: Annotated[
        Instant | None, Field(description="when the carrier gets it; null: it is not on its way back")
    ]


@tracking_numbers.get(
    "",
    query=NumberFilters,
    answers=Page[NumberView],
    example={"items": [NUMBER], "next_cursor": None, "total": None},
)
def list_tracking_numbers(asked: Asked) -> Page[NumberView]:
    """List tracking numbers. Released ones are left out unless `status` asks for them."""
    return lists.page(asked.session, asked.actor, asked.query, asked.now)


@tracking_numbers.get("/<id:number_id>", answers=NumberView, example=NUMBER)
def show_tracking_number(asked: Asked, number_id: int) -> NumberView:
    """Show a tracking number."""
    return lists.one(asked.session, asked.actor, number_id, asked.now)


@tracking_numbers.create(
    "",
    body=NewNumber,
    sends={"number": "+15005550100", "campaign_id": 7, "name": "leaflet, page 1"},
    answers=NumberView,
    example=NUMBER,
)
def create_tracking_number(asked: Asked) -> NumberView:
    """Put a number on a campaign.

    It is a number that you have at the carrier already; nothing is bought. What is not sent is filled
    in from the defaults of the campaign's group.
    """
    held = use_cases.create(asked.session, asked.actor, asked.raw, asked.now)
    return show_tracking_number(asked, held.id)


@tracking_numbers.create(
    "/bulk",
    body=NewNumbers,
    sends={
        "numbers": [
            {"number": "+15005550100", "campaign_id": 7},
            {"number": "+15005550101", "campaign_id": 7, "destination": "+14155550191"},
        ]
    },
    answers=HeldNumbers,
    example={"items": [{"id": 12, "number": "+15005550100", "campaign_id": 7, "revision": 1}]},
)
def create_tracking_numbers(asked: Asked) -> HeldNumbers:
    """Put up to 1,000 numbers on campaigns, all of them or none.

    Errors are named by their place: `numbers.17.destination`.
    """
    held = use_cases.create_many(asked.session, asked.actor, asked.raw, asked.now)
    return HeldNumbers(
        items=[
            HeldNumber(id=row.id, number=row.number, campaign_id=row.campaign_id, revision=row.revision)
            for row in held
        ]
    )


@tracking_numbers.patch(
    "/<id:number_id>",
    body=NumberChanges,
    sends={"whisper": "Call from the summer leaflet.", "revision": 1},
    answers=NumberView,
    example=NUMBER | {"whisper": "Call from the summer leaflet.", "revision": 2},
)
def revise_tracking_number(asked: Asked, number_id: int) -> NumberView:
    """Change a tracking number. What is not sent stays; callers notice within a second."""
    use_cases.revise(asked.session, asked.actor, number_id, asked.raw, asked.now)
    return show_tracking_number(asked, number_id)


@tracking_numbers.post(
    "/<id:number_id>/move",
    body=Move,
    sends={"campaign_id": 8},
    answers=NumberView,
    example=NUMBER | {"campaign_id": 8, "campaign_name": "Autumn leaflet", "revision": 2},
)
def move_tracking_number(asked: Asked, number_id: int) -> NumberView:
    """Put a number on another campaign, or (null) on none."""
    use_cases.move(asked.session, asked.actor, number_id, asked.raw, asked.now)
    return show_tracking_number(asked, number_id)


@tracking_numbers.get(
    "/<id:number_id>/usage",
    answers=UsageView,
    example={
        "last_call_at": "2026-06-30T18:25:43Z",
        "calls_45_days": 12,
        "calls_90_days": 31,
        "callers_90_days": 27,
        "reasons_to_keep": ["its campaign 7 is live", "it was dialled in the last 30 days"],
        "returns_at": None,
    },
)
def show_usage(asked: Asked, number_id: int) -> UsageView:
    """Show when a number was last dialled and by how many, for who manages it."""
    seen = number_releases.outlook_of(asked.session, asked.actor, number_id, asked.now)
    resting = number_releases.resting(asked.session, number_id, seen.holding.number)
    used: Usage = seen.usage
    return UsageView(
        last_call_at=used.last_call_at,
        calls_45_days=used.calls_45_days,
        calls_90_days=used.calls_90_days,
        callers_90_days=used.callers_90_days,
        reasons_to_keep=list(seen.reasons_to_keep),
        returns_at=None if resting is None else resting.due_at,
    )


@tracking_numbers.delete("/<id:number_id>", query=Terms, has_revisions=True)
def release_tracking_number(asked: Asked, number_id: int) -> None:
    """Release a number: from the next call on its callers are rejected.

    It stays in the list of released numbers. After `days` a worker gives it back to the carrier; until
    then the release can be undone. A number that was dialled in the last 30 days, or whose campaign
    runs, stays unless `even_in_use` (409).
    """
    raw = asked.query | dict(asked.raw)
    number_releases.release_one(asked.session, asked.actor, number_id, raw, asked.now)


@tracking_numbers.post("/<id:number_id>/undo-release", answers=NumberView, example=NUMBER | {"id": 31})
def undo_release(asked: Asked, number_id: int) -> NumberView:
    """Have a released number back as it was, under a new id, while the carrier still keeps it for us."""
    held = number_releases.undo_one(asked.session, asked.actor, number_id)
    return show_tracking_number(asked, held.id)
