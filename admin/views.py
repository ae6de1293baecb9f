"""What the API and the pages show of a row: the contract's names, everything that is derived, derived."""

from typing import Annotated, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from admin.drafts import Instant, Phone
from models.api_token import Scope
from models.audit import Via
from models.prompt import PromptKind
from models.tracking_number import NumberStatus
from models.user import Role, UserStatus
from routing.policy import State
from routing.route import CallerId, EndOfCampaign

V = TypeVar("V")


class View(BaseModel):
    """The ground of all views."""

    model_config = ConfigDict(frozen=True, arbitrary_types_allowed=True)


class Page(View, Generic[V]):
    """Some of a list; `next_cursor` asks for what follows, `total` was counted if it was asked for."""

    items: list[V]
    next_cursor: str | None = None
    total: int | None = None


class CampaignView(View):
    """A campaign as it stands at this instant."""

    id: int
    name: str
    external_id: str | None
    group_id: int
    group_name: str
    owner_id: int
    owner_name: str
    enabled: bool
    active: bool
    state: State
    starts_at: Instant
    ends_at: Instant | None
    referral_ends_at: Annotated[
        Instant | None, Field(description="until when callers are referred, once it has ended")
    ]
    end_of_campaign: EndOfCampaign
    referral_included: Annotated[
        bool, Field(description="whether the group's plan includes the referral prompt")
    ]
    business_name: str
    business_number: Phone | None
    prompt_id: int | None
    destination: Phone | None
    numbers: Annotated[int, Field(description="tracking numbers that it holds")]
    calls_30_days: Annotated[int, Field(description="calls in the last 30 days")]
    archived_at: Instant | None
    revision: int
    created_at: Instant
    updated_at: Instant


class CampaignDetail(CampaignView):
    """A campaign with what its settings mean for callers, in words."""

    consequences: list[str]


class NumberView(View):
    """A tracking number; `active` says whether a caller is connected now."""

    id: int
    number: Phone
    national: str
    campaign_id: int | None
    campaign_name: str | None
    campaign_external_id: str | None
    group_id: int
    group_name: str
    name: str
    active: bool
    destination: Phone | None
    whisper: str | None
    ring_timeout: Annotated[int | None, Field(description="seconds; null: the default")]
    record_calls: bool
    caller_id: CallerId
    status: NumberStatus
    released_at: Instant | None
    carrier: str
    carrier_sid: str | None
    revision: int
    created_at: Instant
    updated_at: Instant


class CallView(View):
    """A call as the log has it."""

    id: int
    carrier: str
    call_sid: str
    tracking_number: Phone | None
    campaign_id: int | None
    campaign_name: str | None
    campaign_external_id: str | None
    group_id: int | None
    caller: Phone | None
    caller_city: str | None
    caller_state: str | None
    caller_country: str | None
    decision: str | None
    reason: str | None
    destination: Phone | None
    started_at: Instant
    answered_at: Instant | None
    ended_at: Instant | None
    ring_seconds: int | None
    talk_seconds: int | None
    duration_seconds: int | None
    disposition: str | None
    recording_url: str | None
    recording_seconds: int | None


class CallDetail(CallView):
    """A call with the facts it was decided on."""

    dialled_text: str | None
    attestation: str | None
    forwarded_from: Phone | None
    source: str | None
    consent_version: str | None
    facts: object


class PlanView(View):
    id: int
    name: str
    includes_referral: bool
    groups: Annotated[int, Field(description="groups that have it as their own")]


class Inherited(View, Generic[V]):
    """A setting in force; `from_group_id` is null where no visible group says so."""

    value: V
    from_group_id: int | None


class GroupView(View):
    """A group. Null settings are inherited; `in_force` tells which values these are and whose."""

    id: int
    parent_id: int | None
    name: str
    external_id: str | None
    plan_id: int | None
    countries: list[str] | None
    talk_limit: int | None
    time_zone: str | None
    industry: str | None
    phone: Phone | None
    city: str | None
    default_destination: Phone | None
    default_whisper: str | None
    default_ring_timeout: int | None
    default_record_calls: bool | None
    default_caller_id: CallerId | None
    archived_at: Instant | None
    campaigns: Annotated[int, Field(description="campaigns of the group itself, archived ones left out")]
    in_force: "InForce"


class InForce(View):
    """What holds in a group, its own or inherited."""

    plan: Inherited[int | None]
    plan_name: str | None
    includes_referral: bool
    countries: Annotated[
        Inherited[list[str] | None],
        Field(
            description="where calls may be connected to; null: the country of the number that was dialled"
        ),
    ]
    talk_limit: Annotated[Inherited[int | None], Field(description="seconds; null: the default")]
    time_zone: Inherited[str]
    default_destination: Inherited[Phone | None]
    default_whisper: Inherited[str | None]
    default_ring_timeout: Inherited[int | None]
    default_record_calls: Inherited[bool]
    default_caller_id: Inherited[CallerId]


class UserView(View):
    id: int
    email: str
    name: str
    role: Role
    group_id: int
    group_name: str
    time_zone: str
    status: UserStatus
    second_factor: bool
    created_at: Instant


class TokenView(View):
    """A token, without its secret."""

    id: int
    user_id: int
    name: str
    scope: Scope
    created_at: Instant
    expires_at: Instant | None
    last_used_at: Annotated[Instant | None, Field(description="to the minute")]
    revoked_at: Instant | None


class MadeToken(TokenView):
    """A token that was just made, with its secret, which is shown this once."""

    token: str


class PromptView(View):
    """A prompt; a recording is fetched from `audio_path`."""

    id: int
    group_id: int
    group_name: str
    name: str
    kind: PromptKind
    language: str
    voice: str | None
    text: str | None
    digest: str | None
    seconds: float | None
    audio_path: str | None
    campaigns: Annotated[int, Field(description="campaigns that use it, archived ones left out")]
    archived_at: Instant | None


class BlockView(View):
    """Callers who are, or were, kept out."""

    id: int
    group_id: int
    group_name: str
    callers: Annotated[str, Field(description="a number, `+1900*` for all that begin so, or `anonymous`")]
    reason: str
    in_force: bool
    created_at: Instant
    expires_at: Annotated[Instant | None, Field(description="when it ends by itself; null: never")]
    lifted_at: Instant | None
    hits: Annotated[int, Field(description="calls in the log that it has kept out")]
    last_hit_at: Instant | None


class SavedFilterView(View):
    page: str
    query: str
    updated_at: Instant


class AuditView(View):
    """One field that somebody changed."""

    id: int
    at: Instant
    user_id: int | None
    user_name: str | None
    via: Via
    entity: str
    entity_id: int
    group_id: int | None
    field: str
    old: str | None
    new: str | None
