"""The fields of a campaign as a form: what the create window and the edit form show and read."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from admin.access.actor import Actor
from admin.drafts import spelled
from admin.ui import choosing, times
from admin.ui.forms import Form
from admin.ui.frame import Asked
from models.group import Group
from models.inheritance import including_referral
from routing.numbers import NotE164, PhoneNumber
from routing.policy import State, state_of
from routing.route import CampaignFacts, EndOfCampaign, SpokenPrompt

SHOWN = (
    "name",
    "enabled",
    "external_id",
    "starts_at",
    "ends_at",
    "end_of_campaign",
    "owner_id",
    "business_name",
    "business_number",
    "prompt_id",
    "destination",
)
"""The fields in the order in which they are shown."""


@dataclass(frozen=True, slots=True)
class Choices:
    """What the form offers."""

    group: Group
    owners: choosing.Choices
    prompts: choosing.Choices
    includes_referral: bool


def choices(asked: Asked, group: Group, owner_id: int, prompt_id: str) -> Choices:
    # Only admins may name another owner; the others see whose it is.
    owners = choosing.user_choices(asked, chosen=str(owner_id))
    return Choices(
        group=group,
        owners=owners if asked.actor.is_admin else [pair for pair in owners if pair[0] == str(owner_id)],
        prompts=choosing.prompt_choices(asked, chosen=prompt_id),
        includes_referral=bool(including_referral(asked.session, [group.id])),
    )


def blank(actor: Actor) -> Form:
    """The form of a new campaign with its defaults."""
    return Form(
        {
            "enabled": "yes",
            "starts": "now",
            "ends": "never",
            "end_of_campaign": EndOfCampaign.NORMAL.value,
            "owner_id": str(actor.user_id),
        }
    )


def filled(campaign: Any, zone: ZoneInfo) -> Form:  # noqa: ANN401 - a row or a view: both have the fields
    """The form of a campaign as it is."""
    typed = {name: _spelled(getattr(campaign, name)) for name in SHOWN}
    typed |= {
        "enabled": "yes" if campaign.enabled else "no",
        "starts": "at",
        "ends": "never" if campaign.ends_at is None else "at",
        "revision": str(campaign.revision),
    }
    for name in ("starts_at", "ends_at"):
        moment: datetime | None = getattr(campaign, name)
        local = "" if moment is None else times.typed(moment, zone)
        exactly = "" if moment is None else spelled(moment)
        typed |= {name: local, f"{name}_shown": local, f"{name}_exactly": exactly}
    return Form(typed)


def read(form: Form, zone: ZoneInfo) -> dict[str, object]:
    """What was typed, as the use cases read it; what is wrong with a moment is noted in the form."""
    raw: dict[str, object] = {name: form[name] for name in ("name", "external_id", "business_name")}
    raw |= {name: form[name].strip() or None for name in ("business_number", "destination")}
    if form["enabled"]:
        raw["enabled"] = form["enabled"] == "yes"
    if form["end_of_campaign"]:
        raw["end_of_campaign"] = form["end_of_campaign"]
    owner_id = form.whole("owner_id")
    if owner_id is not None:
        raw["owner_id"] = owner_id
    raw["prompt_id"] = form.whole("prompt_id")
    if form["starts"] != "now":
        _read_moment(form, "starts_at", "now", zone, raw)
    raw["ends_at"] = end_of(form, zone)
    if form.error("ends_at"):
        del raw["ends_at"]
    return raw


def end_of(form: Form, zone: ZoneInfo) -> str | None:
    """The end as it was typed, None for never; what is wrong with it is noted in the form."""
    raw: dict[str, object] = {}
    if form["ends"] == "at":
        _read_moment(form, "ends_at", "never", zone, raw)
    return None if "ends_at" not in raw else str(raw["ends_at"])


def _read_moment(form: Form, name: str, otherwise: str, zone: ZoneInfo, raw: dict[str, object]) -> None:
    moment = form.moment(name, zone)
    if moment is not None:
        raw[name] = moment
    elif not form.error(name):
        form.add(name, f"is mandatory; type a day and a time, or choose {otherwise}")


def facts_of(form: Form, asked: Asked, group: Group) -> CampaignFacts:
    """What a campaign like this would do to calls; what cannot be read is left out."""
    readable = Form(dict(form.typed))
    raw = read(readable, asked.zone)
    starts, ends = raw.get("starts_at"), raw.get("ends_at")
    return CampaignFacts(
        campaign_id=0,
        revision=0,
        group_id=group.id,
        starts_at=datetime.fromisoformat(starts) if isinstance(starts, str) else asked.now,
        ends_at=datetime.fromisoformat(ends) if isinstance(ends, str) else None,
        enabled=form["enabled"] != "no",
        end_of_campaign=EndOfCampaign(form["end_of_campaign"] or EndOfCampaign.NORMAL),
        referral_included=bool(including_referral(asked.session, [group.id])),
        business_name=form["business_name"],
        business_number=_phone(form["business_number"]),
        destination=_phone(form["destination"]),
        prompt=SpokenPrompt() if not form["prompt_id"] else None,
    )


def is_scheduled(facts: CampaignFacts, now: datetime) -> bool:
    return state_of(facts, now) is State.SCHEDULED


def _phone(text: str) -> PhoneNumber | None:
    try:
        return PhoneNumber.parse(text)
    except NotE164:
        return None


def _spelled(value: object) -> str:
    match value:
        case None:
            return ""
        case PhoneNumber():
            return value.e164
        case _:
            return str(value)
