"""Choosing one of many: what select fields offer, and what they find by the words typed above them.

And what the choice of a campaign means for a new number: its group, and the defaults of that.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import TypeVar

from flask import Blueprint, Response, request
from sqlalchemy import select

from admin.access.actor import sees_group, sees_user, visible_group
from admin.drafts import whole
from admin.errors import NotThere
from admin.lists import campaigns as campaign_list
from admin.lists import prompts as prompt_list
from admin.lists import users as user_list
from admin.references import visible_campaign, visible_prompt
from admin.ui import number_forms, scope
from admin.ui.forms import Form, form_of
from admin.ui.frame import Asked, Frame
from admin.views import CampaignView, PromptView
from models.campaign import Campaign
from models.group import Group
from models.prompt import Prompt, PromptKind
from models.user import User, UserStatus
from routing.policy import State

MOST_OFFERED = 100
Thing = TypeVar("Thing")
Choices = list[tuple[str, str]]
"""The value and the text of each option."""


def choosing(frame: Frame) -> Blueprint:
    views = Blueprint("choosing", __name__)

    @views.get("/options/<any(campaigns, own_campaigns, groups, users, prompts):kind>")
    def options(kind: str) -> Response:
        """Those that fit the `words` typed above the select field `field`, with what it has chosen."""
        sent = form_of(request.args)
        chosen = sent[sent["field"]]
        with frame.reading() as asked:
            found = _FINDERS[kind](asked, sent["words"], chosen)
            return frame.fragment(asked, "options.html", choices=found, chosen=chosen)

    return views


def campaign_choices(
    asked: Asked, words: str = "", chosen: str = "", *, mine: bool = False, within: int | None = None
) -> Choices:
    """Campaigns by the beginnings of words of their names, with the one that is `chosen`, by name.

    `mine`: only those that the actor manages, and none that is archived. `within` a group and those
    below it.
    """
    raw: dict[str, object] = {"limit": MOST_OFFERED, "q": words.strip() or None, "sort": "name"}
    if mine:
        raw["state"] = [state.value for state in State if state is not State.ARCHIVED]
        if not asked.actor.is_admin:
            raw["owner_id"] = [asked.actor.user_id]
    if within is not None:
        raw["group_id"] = within
    listed = campaign_list.page(asked.session, asked.actor, raw, asked.now).items
    found = {str(campaign.id): _with_external_id(campaign) for campaign in listed}
    named = _seen(asked, visible_campaign, chosen)
    if named is not None:
        found.setdefault(str(named.id), _with_external_id(named))
    return _by_name(found.items())


def group_choices(asked: Asked, words: str = "", chosen: str = "") -> Choices:
    """The groups of the actor's subtree as a tree, deeper ones indented, with the one that is `chosen`."""
    found = [
        (str(group.id), "\u2003" * depth + group.name)
        for depth, group in scope.tree(asked.session, asked.actor, words.strip())
    ]
    group_id = whole(chosen)
    if group_id is None or any(value == str(group_id) for value, _ in found):
        return found
    named = asked.session.get(Group, group_id)
    if named is None or not sees_group(asked.session, asked.actor, group_id):
        return found
    return [*found, (str(group_id), named.name)]


def user_choices(asked: Asked, words: str = "", chosen: str = "") -> Choices:
    """Active users whom the actor sees, with the one that is `chosen`, by name."""
    raw = {"limit": MOST_OFFERED, "q": words.strip() or None, "status": UserStatus.ACTIVE.value}
    listed = user_list.page(asked.session, asked.actor, raw, asked.now).items
    found = {str(user.id): user.name for user in listed}
    named = _known_user(asked, whole(chosen))
    if named is not None:
        found.setdefault(str(named.id), named.name)
    return _by_name(found.items())


def prompt_choices(asked: Asked, words: str = "", chosen: str = "") -> Choices:
    """Prompts by the beginnings of words of their names, with the one that is `chosen`."""
    raw = {"limit": MOST_OFFERED, "q": words.strip() or None}
    listed = prompt_list.page(asked.session, asked.actor, raw, asked.now).items
    found = {str(prompt.id): _with_language(prompt) for prompt in listed}
    named = _seen(asked, visible_prompt, chosen)
    if named is not None:
        found.setdefault(str(named.id), _with_language(named))
    return _by_name(found.items())


def group_of(asked: Asked, form: Form) -> Group:
    """That of the chosen campaign; without one, what the breadcrumb had chosen when the form was opened."""
    session, actor = asked.session, asked.actor
    campaign_id = form.whole("campaign_id")
    if campaign_id is not None:
        try:
            campaign = visible_campaign(session, actor, campaign_id)
        except NotThere:
            pass  # creating it will say so
        else:
            return session.get_one(Group, campaign.group_id)
    return visible_group(session, actor, form.whole("group_id") or scope.chosen(session, actor))


def refilled(asked: Asked, form: Form) -> Form:
    """The form of a new number after another campaign was chosen: untouched settings are its group's."""
    new = number_forms.defaults(asked.session, group_of(asked, form).id)
    before = form.whole("defaults_of")
    if before is None:
        return number_forms.refilled(form, new, new)
    group = visible_group(asked.session, asked.actor, before)
    return number_forms.refilled(form, number_forms.defaults(asked.session, group.id), new)


_FINDERS: dict[str, Callable[[Asked, str, str], Choices]] = {
    "campaigns": campaign_choices,
    "own_campaigns": partial(campaign_choices, mine=True),
    "groups": group_choices,
    "users": user_choices,
    "prompts": prompt_choices,
}


def _seen(asked: Asked, visible: Callable[..., Thing], chosen: str) -> Thing | None:
    thing_id = whole(chosen)
    if thing_id is None:
        return None
    try:
        return visible(asked.session, asked.actor, thing_id)
    except NotThere:
        return None


def _known_user(asked: Asked, user_id: int | None) -> User | None:
    """Whom the actor sees; and who owns a campaign that he sees, beside which the name stands anyway."""
    user = None if user_id is None else asked.session.get(User, user_id)
    if user is None or sees_user(asked.session, asked.actor, user):
        return user
    owned = select(Campaign.id).where(
        Campaign.owner_id == user_id, Campaign.group_id.in_(asked.actor.visible_groups())
    )
    return None if asked.session.scalar(owned.limit(1)) is None else user


def _by_name(found: Iterable[tuple[str, str]]) -> Choices:
    return sorted(found, key=lambda pair: pair[1].lower())


def _with_external_id(campaign: Campaign | CampaignView) -> str:
    return f"{campaign.name} ({campaign.external_id})" if campaign.external_id else campaign.name


def _with_language(prompt: Prompt | PromptView) -> str:
    kind = "recording" if prompt.kind is PromptKind.RECORDING else "words"
    return f"{prompt.name} ({kind}, {prompt.language})"
