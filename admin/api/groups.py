"""`/api/v1/groups`."""

from typing import Any

from admin import groups as use_cases
from admin.api.operations import Asked, Resource
from admin.groups import GroupChanges, NewGroup, NewParent
from admin.lists import groups as lists
from admin.lists.groups import GroupFilters
from admin.views import GroupView, Page

groups = Resource(
    "groups",
    "Groups",
    "The tree that campaigns, numbers and users lie in. Plan, time zone and the defaults of new tracking "
    "numbers are inherited where a group says nothing itself.",
)

GROUP: dict[str, Any] = {
    "id": 2,
    "parent_id": 1,
    "name": "Bay Bakery North",
    "external_id": "BBN",
    "plan_id": None,
    "countries": None,
    "talk_limit": None,
    "time_zone": None,
    "industry": "Bakery",
    "phone": "+14155550190",
    "city": "Berkeley",
    "default_destination": "+14155550190",
    "default_whisper": None,
    "default_ring_timeout": None,
    "default_record_calls": None,
    "default_caller_id": None,
    "mask_callers": None,
    "keep_callers_days": None,
    "archived_at": None,
    "campaigns": 3,
    "in_force": {
        "plan": {"value": 2, "from_group_id": 1},
        "plan_name": "Premium",
        "includes_referral": True,
        "countries": {"value": ["CA", "US"], "from_group_id": 1},
        "talk_limit": {"value": None, "from_group_id": None},
        "time_zone": {"value": "America/Los_Angeles", "from_group_id": 1},
        "default_destination": {"value": "+14155550190", "from_group_id": 2},
        "default_whisper": {"value": None, "from_group_id": None},
        "default_ring_timeout": {"value": 25, "from_group_id": 1},
        "default_record_calls": {"value": False, "from_group_id": None},
        "default_caller_id": {"value": "caller", "from_group_id": None},
        "mask_callers": {"value": False, "from_group_id": None},
        "keep_callers_days": {"value": None, "from_group_id": None},
    },
}


@groups.get(
    "",
    query=GroupFilters,
    answers=Page[GroupView],
    example={"items": [GROUP], "next_cursor": None, "total": None},
)
def list_groups(asked: Asked) -> Page[GroupView]:
    """List the groups of your part of the tree; `parent_id` lists those directly below one."""
    return lists.page(asked.session, asked.actor, asked.query, asked.now)


@groups.get("/<id:group_id>", answers=GroupView, example=GROUP)
def show_group(asked: Asked, group_id: int) -> GroupView:
    """Show a group, with what it inherits and from whom."""
    return lists.one(asked.session, asked.actor, group_id, asked.now)


@groups.create(
    "",
    body=NewGroup,
    sends={"name": "Bay Bakery North", "parent_id": 1, "external_id": "BBN", "city": "Berkeley"},
    answers=GroupView,
    example=GROUP,
)
def create_group(asked: Asked) -> GroupView:
    """Create a group below another one; below your own unless `parent_id` names it."""
    group = use_cases.create(asked.session, asked.actor, asked.raw, asked.now)
    return show_group(asked, group.id)


@groups.patch(
    "/<id:group_id>",
    body=GroupChanges,
    sends={"city": "Oakland", "default_ring_timeout": 30},
    answers=GroupView,
    example=GROUP | {"city": "Oakland", "default_ring_timeout": 30},
)
def revise_group(asked: Asked, group_id: int) -> GroupView:
    """Change a group. A null setting is inherited from then on."""
    use_cases.revise(asked.session, asked.actor, group_id, asked.raw, asked.now)
    return show_group(asked, group_id)


@groups.post(
    "/<id:group_id>/move",
    body=NewParent,
    sends={"parent_id": 3},
    answers=GroupView,
    example=GROUP | {"parent_id": 3},
)
def move_group(asked: Asked, group_id: int) -> GroupView:
    """Put a group, with all below it, below another one; never below itself."""
    use_cases.move(asked.session, asked.actor, group_id, asked.raw, asked.now)
    return show_group(asked, group_id)


@groups.delete("/<id:group_id>")
def archive_group(asked: Asked, group_id: int) -> None:
    """Archive a group that has no campaigns which may ring, and no groups below it."""
    use_cases.archive(asked.session, asked.actor, group_id, asked.raw, asked.now)
