"""The list of prompts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from admin.access.actor import Actor
from admin.drafts import Id, Line, Reading
from admin.lists.listing import (
    Filters,
    Key,
    Listing,
    alphabetical,
    in_order,
    read_page,
)
from admin.lists.visible import visible
from admin.lists.words import words_condition
from admin.references import visible_prompt
from admin.views import Page, PromptView
from models.campaign import Campaign
from models.group import Group
from models.prompt import EXTENSIONS, Prompt, PromptAudio, PromptKind


class PromptFilters(Filters):
    q: Annotated[Line | None, Field(description="beginnings of words of the name")] = None
    kind: PromptKind | None = None
    language: Annotated[Line | None, Field(description="two letters")] = None
    group_id: Annotated[Id | None, Field(description="of this group")] = None
    subgroups: Annotated[bool, Field(description="and of the groups below it")] = True
    archived: bool = False
    sort: Literal["name", "-name"] = "name"


def page(session: Session, actor: Actor, raw: object, now: datetime) -> Page[PromptView]:  # noqa: ARG001
    """The prompts that `raw` (a `PromptFilters`) asks for; raise `Invalid`."""
    reading = Reading()
    filters = reading.read(PromptFilters, raw)
    reading.finish()
    seen = visible(session, actor, filters.group_id, subgroups=filters.subgroups)
    listing = Listing(
        Prompt.id,
        {"name": Key(alphabetical(session, Prompt.name), str)},
        [*seen.among(Prompt.group_id), *_conditions(session, filters)],
    )
    return read_page(session, filters, filters.sort, listing, lambda ids: views(session, ids))


def one(session: Session, actor: Actor, prompt_id: int, now: datetime) -> PromptView:  # noqa: ARG001
    """Raise `NotThere`."""
    visible_prompt(session, actor, prompt_id)
    return views(session, [prompt_id])[0]


def views(session: Session, ids: Sequence[int]) -> list[PromptView]:
    """What is shown of prompts, in the order of `ids`; two queries, however many they are."""
    rows = session.execute(
        select(Prompt, Group.name, PromptAudio.seconds, PromptAudio.media_type)
        .join(Group, Group.id == Prompt.group_id)
        .outerjoin(PromptAudio, PromptAudio.digest == Prompt.digest)
        .where(Prompt.id.in_(ids))
    ).all()
    used = (
        select(Campaign.prompt_id, func.count())
        .where(Campaign.prompt_id.in_(ids), Campaign.archived_at.is_(None))
        .group_by(Campaign.prompt_id)
    )
    campaigns = {row[0]: row[1] for row in session.execute(used)}
    by_id = {
        prompt.id: PromptView.model_construct(
            **{name: getattr(prompt, name) for name in _STORED},
            group_name=group_name,
            seconds=seconds,
            audio_path=_audio_path(prompt, media_type),
            campaigns=campaigns.get(prompt.id, 0),
        )
        for prompt, group_name, seconds, media_type in rows
    }
    return in_order(ids, by_id)


_STORED = tuple(name for name in PromptView.model_fields if name in Prompt.__table__.columns)


def _audio_path(prompt: Prompt, media_type: str | None) -> str | None:
    if prompt.kind is not PromptKind.RECORDING or media_type is None:
        return None
    return f"/prompts/{prompt.id}/{prompt.digest}.{EXTENSIONS[media_type]}"


def _conditions(session: Session, filters: PromptFilters) -> list[ColumnElement[bool]]:
    archived = Prompt.archived_at.is_not(None)
    found: list[ColumnElement[bool]] = [archived if filters.archived else ~archived]
    if filters.q:
        found.append(words_condition(session, Prompt.id, [Prompt.name], filters.q))
    if filters.kind is not None:
        found.append(Prompt.kind == filters.kind)
    if filters.language:
        found.append(Prompt.language == filters.language)
    return found
