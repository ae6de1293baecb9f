"""What must hold of a campaign before it is saved."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from admin.access.actor import Actor
from admin.drafts import Reading
from admin.references import check_destination, named_group, named_owner, named_prompt, user_sees_group
from models.group import Group
from models.inheritance import including_referral
from models.prompt import Prompt, PromptKind
from models.user import User
from routing.route import EndOfCampaign


def check(
    session: Session, actor: Actor, after: Mapping[str, Any], changed: set[str], reading: Reading
) -> None:
    """Add an error for everything that is wrong with a campaign as it shall be.

    `after` has all its fields, `changed` the names of those that differ from before: what was good
    enough once is not judged anew, so that a downgrade does not keep a campaign from being renamed.
    """
    if changed & {"starts_at", "ends_at"}:
        _check_span(after, reading)
    group = _group(session, actor, after, changed, reading)
    if group is not None and "owner_id" in changed:
        named_owner(session, actor, after["owner_id"], group.id, reading)
    elif group is not None and "group_id" in changed:
        _check_owner_sees(session, after["owner_id"], group, reading)
    if "destination" in changed:
        check_destination(session, after["destination"], reading)
    prompt_id = after["prompt_id"]
    prompt = None if prompt_id is None else session.get(Prompt, prompt_id)
    if prompt_id is not None and "prompt_id" in changed:
        prompt = named_prompt(session, actor, prompt_id, reading)
    if after["end_of_campaign"] is EndOfCampaign.REFERRAL:
        if group is not None and changed & {"end_of_campaign", "group_id"}:
            _check_plan(session, group, reading)
        if changed & {"end_of_campaign", "business_number", "prompt_id"}:
            _check_words(after, prompt, reading)


def _group(
    session: Session, actor: Actor, after: Mapping[str, Any], changed: set[str], reading: Reading
) -> Group | None:
    if reading.has_error("group_id"):
        return None
    if "group_id" in changed:
        return named_group(session, actor, after["group_id"], reading)
    return session.get(Group, after["group_id"])


def _check_span(after: Mapping[str, Any], reading: Reading) -> None:
    if reading.has_error("starts_at") or reading.has_error("ends_at"):
        return
    if after["ends_at"] is not None and after["ends_at"] <= after["starts_at"]:
        reading.add("ends_at", "must be later than the start")


def _check_owner_sees(session: Session, owner_id: int, group: Group, reading: Reading) -> None:
    if not user_sees_group(session, session.get_one(User, owner_id), group.id):
        reading.add("owner_id", "the owner does not see that group; name another owner with it")


def _check_plan(session: Session, group: Group, reading: Reading) -> None:
    if not including_referral(session, [group.id]):
        reading.add(
            "end_of_campaign",
            "the plan of this group does not include the referral prompt; choose normal, or another plan",
        )


def _check_words(after: Mapping[str, Any], prompt: Prompt | None, reading: Reading) -> None:
    """The standard wording names the business number; a recording or own words speak for themselves.

    The business name is never needed: without it callers hear the number alone.
    """
    speaks_for_itself = prompt is not None and (prompt.kind is PromptKind.RECORDING or bool(prompt.text))
    said_wrongly = reading.has_error("prompt_id") or reading.has_error("business_number")
    if after["business_number"] is None and not speaks_for_itself and not said_wrongly:
        reading.add(
            "business_number",
            "is needed for the referral prompt, which tells callers to dial it; "
            "or choose a prompt with a recording or words of its own",
        )
