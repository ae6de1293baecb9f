"""`/api/v1/campaigns`."""

from typing import Any

from admin import campaign_bulk
from admin import campaigns as use_cases
from admin.api.operations import Asked, Resource
from admin.campaign_bulk import BulkAct, BulkReport
from admin.campaigns import Act, CampaignChanges, Extension, NewCampaign, NewOwner
from admin.lists import campaigns as lists
from admin.lists.campaigns import CampaignFilters
from admin.views import CampaignDetail, CampaignView, Page

campaigns = Resource(
    "campaigns",
    "Campaigns",
    "Agreements that own tracking numbers from a start to an end. `state` and `active` follow from these "
    "facts and the clock; nothing has to be done when a campaign begins or ends. Admins manage all "
    "campaigns of their part of the tree, other users those that they own.",
)

CAMPAIGN: dict[str, Any] = {
    "id": 7,
    "name": "Summer leaflet",
    "external_id": "SL-2026",
    "group_id": 2,
    "group_name": "Bay Bakery North",
    "owner_id": 4,
    "owner_name": "Otis Owner",
    "enabled": True,
    "active": True,
    "state": "live",
    "starts_at": "2026-07-01T07:00:00Z",
    "ends_at": "2030-10-01T07:00:00Z",
    "referral_ends_at": "2030-10-31T07:00:00Z",
    "end_of_campaign": "referral",
    "referral_included": True,
    "business_name": "Bay Bakery",
    "business_number": "+14155550190",
    "prompt_id": None,
    "destination": "+14155550190",
    "numbers": 2,
    "calls_30_days": 31,
    "archived_at": None,
    "revision": 3,
    "created_at": "2026-06-20T16:20:00Z",
    "updated_at": "2026-06-25T09:00:00Z",
}
DETAIL: dict[str, Any] = CAMPAIGN | {"consequences": ["From 2026-07-01 07:00 UTC, callers are connected."]}


@campaigns.get(
    "",
    query=CampaignFilters,
    answers=Page[CampaignView],
    example={"items": [CAMPAIGN], "next_cursor": None, "total": None},
)
def list_campaigns(asked: Asked) -> Page[CampaignView]:
    """List campaigns.

    Filters are joined by "and", several values of one by "or". Archived campaigns are left out unless
    `state` asks for them.
    """
    return lists.page(asked.session, asked.actor, asked.query, asked.now)


@campaigns.get("/<id:campaign_id>", answers=CampaignDetail, example=DETAIL)
def show_campaign(asked: Asked, campaign_id: int) -> CampaignDetail:
    """Show a campaign, and what its settings mean for callers, in words."""
    return lists.one(asked.session, asked.actor, campaign_id, asked.now)


@campaigns.create(
    "",
    body=NewCampaign,
    sends={
        "name": "Summer leaflet",
        "external_id": "SL-2026",
        "ends_at": "2030-10-01T00:00:00-07:00",
        "end_of_campaign": "referral",
        "business_name": "Bay Bakery",
        "business_number": "+14155550190",
        "destination": "+14155550190",
    },
    answers=CampaignDetail,
    example=DETAIL,
)
def create_campaign(asked: Asked) -> CampaignDetail:
    """Create a campaign.

    Only the name is mandatory: it starts now, never ends, lies in your group and is yours.
    """
    campaign = use_cases.create(asked.session, asked.actor, asked.raw, asked.now)
    return show_campaign(asked, campaign.id)


@campaigns.patch(
    "/<id:campaign_id>",
    body=CampaignChanges,
    sends={"name": "Summer leaflet, second print", "revision": 3},
    answers=CampaignDetail,
    example=DETAIL | {"name": "Summer leaflet, second print", "revision": 4},
)
def revise_campaign(asked: Asked, campaign_id: int) -> CampaignDetail:
    """Change a campaign. What is not sent stays; callers notice within a second."""
    use_cases.revise(asked.session, asked.actor, campaign_id, asked.raw, asked.now)
    return show_campaign(asked, campaign_id)


@campaigns.post(
    "/<id:campaign_id>/end",
    body=Act,
    sends={"revision": 3},
    answers=CampaignDetail,
    example=DETAIL | {"active": False, "state": "referral", "revision": 4},
)
def end_campaign(asked: Asked, campaign_id: int) -> CampaignDetail:
    """End a campaign now."""
    use_cases.end_now(asked.session, asked.actor, campaign_id, asked.raw, asked.now)
    return show_campaign(asked, campaign_id)


@campaigns.post(
    "/<id:campaign_id>/extend",
    body=Extension,
    sends={"ends_at": "2030-12-24T18:00:00-08:00"},
    answers=CampaignDetail,
    example=DETAIL | {"ends_at": "2030-12-25T02:00:00Z", "revision": 4},
)
def extend_campaign(asked: Asked, campaign_id: int) -> CampaignDetail:
    """Let a campaign end later, or never. One that has ended goes on."""
    use_cases.extend(asked.session, asked.actor, campaign_id, asked.raw, asked.now)
    return show_campaign(asked, campaign_id)


@campaigns.post(
    "/<id:campaign_id>/pause",
    body=Act,
    sends={"revision": 3},
    answers=CampaignDetail,
    example=DETAIL | {"enabled": False, "active": False, "state": "paused", "revision": 4},
)
def pause_campaign(asked: Asked, campaign_id: int) -> CampaignDetail:
    """Switch a campaign off by hand; its callers are not answered."""
    use_cases.pause(asked.session, asked.actor, campaign_id, asked.raw, asked.now)
    return show_campaign(asked, campaign_id)


@campaigns.post(
    "/<id:campaign_id>/resume",
    body=Act,
    sends={"revision": 3},
    answers=CampaignDetail,
    example=DETAIL | {"revision": 4},
)
def resume_campaign(asked: Asked, campaign_id: int) -> CampaignDetail:
    """Switch a campaign on again."""
    use_cases.resume(asked.session, asked.actor, campaign_id, asked.raw, asked.now)
    return show_campaign(asked, campaign_id)


@campaigns.post(
    "/<id:campaign_id>/owner",
    body=NewOwner,
    sends={"owner_id": 4},
    answers=CampaignDetail,
    example=DETAIL | {"revision": 4},
)
def change_owner(asked: Asked, campaign_id: int) -> CampaignDetail:
    """Give a campaign to another owner.

    Admins only. A campaign has exactly one owner; who loses it only reads it from then on.
    """
    use_cases.change_owner(asked.session, asked.actor, campaign_id, asked.raw, asked.now)
    return show_campaign(asked, campaign_id)


@campaigns.delete("/<id:campaign_id>", has_revisions=True)
def archive_campaign(asked: Asked, campaign_id: int) -> None:
    """Archive a campaign. Its numbers stay with it and are not answered."""
    use_cases.archive(asked.session, asked.actor, campaign_id, asked.raw, asked.now)


@campaigns.post(
    "/bulk",
    body=BulkAct,
    sends={"action": "pause", "ids": [7, 8]},
    answers=BulkReport,
    example={
        "done": 1,
        "refused": 1,
        "outcomes": [
            {"id": 7, "done": True, "problem": None},
            {"id": 8, "done": False, "problem": "only the campaign's owner and admins may do this"},
        ],
    },
)
def change_campaigns(asked: Asked) -> BulkReport:
    """Do one thing to up to 200 campaigns: each of them wholly or not at all."""
    return campaign_bulk.act(asked.session, asked.actor, asked.raw, asked.now)
