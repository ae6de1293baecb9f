"""`/api/v1/tracking-numbers`."""

from typing import Any

from admin import numbers as use_cases
from admin.api.operations import Asked, Resource
from admin.drafts import Phone
from admin.lists import numbers as lists
from admin.lists.numbers import NumberFilters
from admin.number_filling import NewNumber
from admin.numbers import Move, NewNumbers, NumberChanges
from admin.views import NumberView, Page, View

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


@tracking_numbers.delete("/<id:number_id>", has_revisions=True)
def release_tracking_number(asked: Asked, number_id: int) -> None:
    """Release a number: from the next call on its callers are not answered.

    It stays in the list of released numbers. The carrier is told nothing.
    """
    use_cases.release(asked.session, asked.actor, number_id, asked.raw, asked.now)
