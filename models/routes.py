"""From rows to the facts of routing: one number for a call, a few for the outbox, all for a rebuild.

Where a number was held several times, the holding in force counts, else the last one.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    Select,
    and_,
    bindparam,
    case,
    cast,
    exists,
    func,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased
from sqlalchemy.types import Text

from models.blocked_caller import blocks_fitting
from models.campaign import Campaign
from models.group import Group
from models.prompt import EXTENSIONS, Prompt, PromptAudio, PromptKind
from models.standing import ids_in, inherited, standing_of
from models.tracking_number import NumberStatus, TrackingNumber
from routing.encoding import encoded
from routing.numbers import PhoneNumber
from routing.route import CallerId, CampaignFacts, NumberFacts, RecordedPrompt, Route, SpokenPrompt

_BATCH = 5000


def _is_ours(destination: InstrumentedAttribute[PhoneNumber | None]) -> ColumnElement[bool]:
    """Whether a destination is a tracking number of ours: refused at save, yet two edits may meet."""
    own = aliased(TrackingNumber)
    is_held = exists().where(own.number == destination, own.status == NumberStatus.ACTIVE)
    return case((destination.is_(None), False), else_=is_held)


_NUMBER_COLUMNS = (
    # Plain words are read four times as fast as typed ones, and a rebuild reads a million.
    type_coerce(TrackingNumber.number, Text),
    TrackingNumber.id,
    TrackingNumber.revision,
    TrackingNumber.campaign_id,
    TrackingNumber.group_id,
    type_coerce(TrackingNumber.status, Text),
    type_coerce(TrackingNumber.destination, Text),
    TrackingNumber.whisper,
    TrackingNumber.ring_timeout,
    TrackingNumber.record_calls,
    type_coerce(TrackingNumber.caller_id, Text),
    _is_ours(TrackingNumber.destination),
)
_WIDTH_OF_A_NUMBER = len(_NUMBER_COLUMNS) + 1
"""With the groups above it."""
_CAMPAIGN_COLUMNS = (
    Campaign.id,
    Campaign.revision,
    Campaign.group_id,
    Campaign.starts_at,
    Campaign.ends_at,
    Campaign.enabled,
    Campaign.archived_at,
    Campaign.end_of_campaign,
    Campaign.external_id,
    Campaign.business_name,
    Campaign.business_number,
    Campaign.destination,
    Campaign.talk_limit,
    Prompt.id,
    Prompt.kind,
    Prompt.language,
    Prompt.voice,
    Prompt.text,
    Prompt.digest,
    PromptAudio.media_type,
    _is_ours(Campaign.destination),
)


def route_of(session: Session, number: PhoneNumber, patterns: tuple[str, ...] = ()) -> Route | None:
    """The route of one tracking number, or None where it is unknown; one query, and one for `patterns`.

    Those are what a caller fits (`routing.blocks.patterns_of`); without them nobody is blocked.
    """
    row = session.execute(_ROUTE, {"number": number}).first()
    if row is None:
        return None
    facts = _number_facts(row[:_WIDTH_OF_A_NUMBER])
    route = Route(facts, None if facts.campaign_id is None else _campaign_facts(row[_WIDTH_OF_A_NUMBER:]))
    return route.facing(blocks_fitting(session, patterns, route.groups)) if patterns else route


def campaign_facts(session: Session, ids: Collection[int]) -> dict[int, CampaignFacts]:
    """The facts of these campaigns by id; ids that do not exist are left out."""
    rows = session.execute(_SOME_CAMPAIGNS, {"ids": list(ids)})
    return {row[0]: _campaign_facts(row) for row in rows}


def number_facts(session: Session, ids: Collection[int]) -> dict[int, NumberFacts]:
    """The facts of these tracking numbers by id; earlier holdings of a number are left out."""
    rows = session.execute(_SOME_NUMBERS, {"ids": list(ids)})
    return {row[1]: _number_facts(row) for row in rows}


def stream_campaigns(session: Session) -> Iterator[CampaignFacts]:
    """All campaigns, in no order and in constant memory; wants a patient `Database`."""
    for rows in _batches(session, _ALL_CAMPAIGNS):
        yield from map(_campaign_facts, rows)


def stream_numbers(session: Session) -> Iterator[NumberFacts]:
    """All numbers, each once, in no order and in constant memory; wants a patient `Database`."""
    for rows in _batches(session, _ALL_NUMBERS):
        yield from map(_number_facts, rows)


def stream_stored_numbers(session: Session) -> Iterator[tuple[str, str | bytes]]:
    """All numbers as `encoding.encoded` writes them, each once, in constant memory.

    A number that says nothing of its own, as nearly all do, is put together by the database: that
    takes a fifth of the time. Wants a patient `Database`.
    """
    for rows in _batches(session, _PLAIN_NUMBERS):
        yield from ((number, stored) for number, stored in rows)
    for rows in _batches(session, _NUMBERS_OF_THEIR_OWN):
        yield from encoded(map(_number_facts, rows))


def count_numbers(session: Session) -> int:
    """How many numbers `stream_numbers` yields."""
    return session.scalars(select(func.count()).select_from(TrackingNumber).where(_counts())).one()


def count_campaigns(session: Session) -> int:
    """How many campaigns `stream_campaigns` yields."""
    return session.scalars(select(func.count()).select_from(Campaign)).one()


def held_or_released(session: Session, e164s: Collection[str]) -> set[str]:
    """Which of these E.164 numbers we hold or held once."""
    column = type_coerce(TrackingNumber.number, Text)
    return set(session.scalars(select(column).where(column.in_(e164s))))


def campaign_ids(session: Session, after: int, limit: int) -> list[int]:
    """The next ids of campaigns in their order, to go through all of them without one long transaction."""
    return list(
        session.scalars(select(Campaign.id).where(Campaign.id > after).order_by(Campaign.id).limit(limit))
    )


def number_ids(session: Session, after: int, limit: int) -> list[int]:
    """Likewise of tracking numbers, earlier holdings too."""
    column = TrackingNumber.id
    return list(session.scalars(select(column).where(column > after).order_by(column).limit(limit)))


def _batches(session: Session, statement: Select[*tuple[Any, ...]]) -> Iterator[Sequence[Sequence[Any]]]:
    # On the connection: the session's own results take twice the time for each row.
    result = session.connection().execute(statement, execution_options={"yield_per": _BATCH})
    return result.partitions()


def _counts() -> ColumnElement[bool]:
    """Whether a holding is the one of its number that counts."""
    other = aliased(TrackingNumber)
    overruled = exists().where(
        other.number == TrackingNumber.number,
        or_(other.status == NumberStatus.ACTIVE, other.id > TrackingNumber.id),
    )
    return or_(TrackingNumber.status == NumberStatus.ACTIVE, ~overruled)


def _with_campaigns(
    statement: Select[*tuple[Any, ...]],
    standing: CTE,
    group_id: ColumnElement[int] | InstrumentedAttribute[int],
) -> Select[*tuple[Any, ...]]:
    """Add a campaign's facts to a statement over campaigns, and the standing of the group `group_id`."""
    return (
        statement.outerjoin(Prompt, Prompt.id == Campaign.prompt_id)
        .outerjoin(
            PromptAudio, and_(PromptAudio.digest == Prompt.digest, Prompt.kind == PromptKind.RECORDING)
        )
        .outerjoin(standing, standing.c.group_id == group_id)
        .add_columns(*_CAMPAIGN_COLUMNS, *inherited(standing))
    )


def _numbers(groups: Select[int]) -> Select[*tuple[Any, ...]]:
    """Numbers with what is above those that are on no campaign."""
    standing = standing_of(groups)
    alone = and_(TrackingNumber.campaign_id.is_(None), standing.c.group_id == TrackingNumber.group_id)
    return select(*_NUMBER_COLUMNS, standing.c.above).outerjoin(standing, alone)


def _number_facts(row: Sequence[Any]) -> NumberFacts:
    (number, number_id, revision, campaign_id, group_id, status, destination, whisper) = row[:8]
    (ring, record, caller, is_ours, above) = row[8:13]
    return NumberFacts(
        PhoneNumber(number),
        number_id,
        revision,
        campaign_id,
        group_id if campaign_id is None else None,
        status == "released",
        None if destination is None else PhoneNumber(destination),
        whisper,
        ring,
        record,
        CallerId.CALLER if caller == "caller" else CallerId(caller),
        ids_in(above) if campaign_id is None else (),
        bool(is_ours),
    )


def _campaign_facts(row: Sequence[Any]) -> CampaignFacts:
    (campaign_id, revision, group_id, starts_at, ends_at, enabled, archived_at, end_of_campaign) = row[:8]
    (external_id, business_name, business_number, destination, talk_limit) = row[8:13]
    (includes_referral, above, countries, talk_limit_of_group) = row[21:25]
    return CampaignFacts(
        campaign_id=campaign_id,
        revision=revision,
        group_id=group_id,
        starts_at=starts_at,
        ends_at=ends_at,
        enabled=enabled,
        archived=archived_at is not None,
        end_of_campaign=end_of_campaign,
        referral_included=bool(includes_referral),
        external_id=external_id,
        business_name=business_name,
        business_number=business_number,
        destination=destination,
        prompt=_prompt(row[13:20]),
        groups_above=ids_in(above),
        countries=None if countries is None else tuple(countries.split(",")),
        talk_limit=talk_limit_of_group if talk_limit is None else talk_limit,
        destination_is_ours=bool(row[20]),
    )


def _prompt(columns: Sequence[Any]) -> SpokenPrompt | RecordedPrompt | None:
    prompt_id, kind, language, voice, text, digest, media_type = columns
    if prompt_id is None:
        return None
    match PromptKind(kind):
        case PromptKind.TEXT:
            return SpokenPrompt(language, voice, text)
        case PromptKind.RECORDING:
            return RecordedPrompt(prompt_id, digest, EXTENSIONS[media_type], language)


def _ids() -> Any:  # noqa: ANN401 - a parameter of the statements below
    return bindparam("ids", expanding=True)


# Built once: putting a statement together costs as much as running it.
_HELD_FOR = func.coalesce(Campaign.group_id, TrackingNumber.group_id)
_STANDING_OF_ROUTE = standing_of(
    select(_HELD_FOR)
    .select_from(TrackingNumber)
    .outerjoin(Campaign, Campaign.id == TrackingNumber.campaign_id)
    .where(TrackingNumber.number == bindparam("number"))
)
_ROUTE = _with_campaigns(
    select(*_NUMBER_COLUMNS, _STANDING_OF_ROUTE.c.above)
    .outerjoin(Campaign, Campaign.id == TrackingNumber.campaign_id)
    .where(TrackingNumber.number == bindparam("number"))
    .order_by(case((TrackingNumber.status == NumberStatus.ACTIVE, 0), else_=1), TrackingNumber.id.desc())
    .limit(1),
    _STANDING_OF_ROUTE,
    _HELD_FOR,
)
_SOME_CAMPAIGNS = _with_campaigns(
    select().select_from(Campaign).where(Campaign.id.in_(_ids())),
    standing_of(select(Campaign.group_id).where(Campaign.id.in_(_ids()))),
    Campaign.group_id,
)
_ALL_CAMPAIGNS = _with_campaigns(
    select().select_from(Campaign), standing_of(select(Group.id)), Campaign.group_id
)
_SOME_NUMBERS = _numbers(select(TrackingNumber.group_id).where(TrackingNumber.id.in_(_ids()))).where(
    TrackingNumber.id.in_(_ids()), _counts()
)
_IS_PLAIN = and_(
    TrackingNumber.status == NumberStatus.ACTIVE,
    TrackingNumber.campaign_id.is_not(None),
    TrackingNumber.destination.is_(None),
    TrackingNumber.whisper.is_(None),
    TrackingNumber.ring_timeout.is_(None),
    TrackingNumber.record_calls.is_(False),
    TrackingNumber.caller_id == CallerId.CALLER,
)
_PLAIN_NUMBERS = select(
    type_coerce(TrackingNumber.number, Text),
    cast(TrackingNumber.revision, Text)
    .concat(" ")
    .concat(cast(TrackingNumber.campaign_id, Text))
    .concat(" ")
    .concat(cast(TrackingNumber.id, Text)),
).where(_IS_PLAIN)
_NUMBERS_OF_THEIR_OWN = _numbers(select(Group.id)).where(_counts(), ~_IS_PLAIN)
_ALL_NUMBERS = _numbers(select(Group.id)).where(_counts())
