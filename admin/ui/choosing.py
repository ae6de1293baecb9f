"""Choosing a campaign or a group out of many: what the select fields of forms and filters offer.

And what a choice means for a new number: its group, and the defaults of that.
"""

from flask import Blueprint, Response, request

from admin.access.actor import visible_group
from admin.errors import NotThere
from admin.lists import campaigns as campaign_list
from admin.references import visible_campaign
from admin.ui import number_forms, scope
from admin.ui.forms import Form
from admin.ui.frame import Asked, Frame
from models.group import Group
from routing.policy import State

MOST_OFFERED = 100
Choices = list[tuple[str, str]]


def choosing(frame: Frame) -> Blueprint:
    views = Blueprint("choosing", __name__)

    @views.get("/choose-campaign")
    def campaigns() -> Response:
        """The options of a select field that fit what was typed above it."""
        mine = request.args.get("mine") == "yes"
        with frame.reading() as asked:
            found = campaign_choices(
                asked, request.args.get("campaign_words", ""), request.args.get("campaign_id", ""), mine=mine
            )
            first = request.args.get("otherwise", "")
            return frame.fragment(asked, "campaigns/choices.html", choices=found, otherwise=first)

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
    found = {campaign.id: _named(campaign.name, campaign.external_id) for campaign in listed}
    named = _chosen(asked, chosen)
    if named is not None:
        found.setdefault(*named)
    pairs = sorted(found.items(), key=lambda pair: pair[1].lower())
    return [(str(campaign_id), name) for campaign_id, name in pairs]


def group_choices(asked: Asked) -> Choices:
    """The groups of the actor's subtree as a tree, deeper ones indented."""
    tree = scope.tree(asked.session, asked.actor, "")
    return [(str(group.id), "\u2003" * depth + group.name) for depth, group in tree]


def group_of(asked: Asked, form: Form) -> Group:
    """That of the chosen campaign; without one, what the breadcrumb had chosen when the form was opened."""
    session, actor = asked.session, asked.actor
    if form["campaign_id"].isdecimal():
        try:
            campaign = visible_campaign(session, actor, int(form["campaign_id"]))
        except NotThere:
            pass  # creating it will say so
        else:
            return session.get_one(Group, campaign.group_id)
    named = form["group_id"]
    return visible_group(session, actor, int(named) if named.isdecimal() else scope.chosen(session, actor))


def refilled(asked: Asked, form: Form) -> Form:
    """The form of a new number after another campaign was chosen: untouched settings are its group's."""
    new = number_forms.defaults(asked.session, group_of(asked, form).id)
    before = form["defaults_of"]
    if not before.isdecimal():
        return number_forms.refilled(form, new, new)
    group = visible_group(asked.session, asked.actor, int(before))
    return number_forms.refilled(form, number_forms.defaults(asked.session, group.id), new)


def _chosen(asked: Asked, chosen: str) -> tuple[int, str] | None:
    if not chosen.isdecimal():
        return None
    try:
        campaign = visible_campaign(asked.session, asked.actor, int(chosen))
    except NotThere:
        return None
    return campaign.id, _named(campaign.name, campaign.external_id)


def _named(name: str, external_id: str | None) -> str:
    return f"{name} ({external_id})" if external_id else name
