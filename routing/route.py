"""The facts of one tracking number: all that a decision may depend on, beside the clock."""

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from routing.blocks import Block
from routing.numbers import PhoneNumber


class EndOfCampaign(StrEnum):
    """What callers get once a campaign has ended."""

    REFERRAL = "referral"
    NORMAL = "normal"


class CallerId(StrEnum):
    """Whose number the business sees on its display."""

    CALLER = "caller"
    TRACKING_NUMBER = "tracking_number"


class SpokenPrompt(Struct, frozen=True):
    """Words for the carrier's voice."""

    language: str = "en"
    """One of `prompts.phrases`' languages."""
    voice: str | None = None
    """A voice the carrier knows, such as `Polly.Joanna`; None takes the language's own."""
    text: str | None = None
    """None: the standard wording of the language."""


class RecordedPrompt(Struct, frozen=True):
    """Audio uploaded by an operator, named by the SHA-256 of its bytes."""

    prompt_id: int
    digest: str
    extension: str = "wav"
    language: str = "en"


class CampaignFacts(Struct, frozen=True):
    """What a campaign says about calls to its numbers. Instants are aware UTC."""

    campaign_id: int
    revision: int
    group_id: int
    starts_at: datetime
    ends_at: datetime | None = None
    """The first instant at which the campaign is over; None: never."""
    enabled: bool = True
    archived: bool = False
    end_of_campaign: EndOfCampaign = EndOfCampaign.NORMAL
    referral_included: bool = False
    """Whether the plan of the campaign's group includes the referral prompt."""
    external_id: str | None = None
    business_name: str = ""
    business_number: PhoneNumber | None = None
    destination: PhoneNumber | None = None
    prompt: SpokenPrompt | RecordedPrompt | None = None
    groups_above: tuple[int, ...] = ()
    """The groups above its own, up to the root: their block lists count here too."""
    countries: tuple[str, ...] | None = None
    """Where calls may be connected to, as ISO regions such as `US`; None: where the number is."""
    talk_limit: int | None = None
    """Seconds that a connection may last; None: the default."""
    destination_is_ours: bool = False
    """Whether `destination` is a tracking number of ours, which would send a call round in a circle."""


class NumberFacts(Struct, frozen=True):
    """What a tracking number says for itself; None leaves it to the campaign or the default."""

    number: PhoneNumber
    number_id: int
    revision: int
    campaign_id: int | None
    group_id: int | None = None
    """The group of a number without a campaign; None where the campaign's group counts."""
    released: bool = False
    destination: PhoneNumber | None = None
    whisper: str | None = None
    ring_timeout: int | None = None
    """Seconds the business may ring; None: the default."""
    record_calls: bool = False
    caller_id: CallerId = CallerId.CALLER
    groups_above: tuple[int, ...] = ()
    """The groups above `group_id`, up to the root."""
    destination_is_ours: bool = False
    """As for a campaign, of its own `destination`."""


class Route(Struct, frozen=True):
    """A tracking number with its campaign, if it has one, and what its groups hold against the caller."""

    number: NumberFacts
    campaign: CampaignFacts | None = None
    blocks: tuple[Block, ...] = ()
    """The blocks of its groups that this caller fits, the oldest first; whether in force or expired."""

    def __post_init__(self) -> None:
        named = None if self.campaign is None else self.campaign.campaign_id
        if self.number.campaign_id != named:
            raise ValueError(f"number {self.number.number_id} is not on campaign {named}")
        if self.blocks and not {block.group_id for block in self.blocks} <= set(self.groups):
            raise ValueError("a route has a block of another group")

    @property
    def group_id(self) -> int | None:
        return self.number.group_id if self.campaign is None else self.campaign.group_id

    @property
    def groups(self) -> tuple[int, ...]:
        """Its group and those above it, up to the root; empty where that is not known."""
        if self.campaign is not None:
            return (self.campaign.group_id, *self.campaign.groups_above)
        return () if self.number.group_id is None else (self.number.group_id, *self.number.groups_above)

    def facing(self, blocks: Iterable[Block]) -> "Route":
        """This route for a caller who fits `blocks`; those of other groups are left out."""
        groups = self.groups
        ours = sorted((b for b in blocks if b.group_id in groups), key=lambda block: block.block_id)
        return replace(self, blocks=tuple(ours)) if ours else self
