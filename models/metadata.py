"""All tables: importing this file makes sure that each aggregate has declared its own."""

from models.base import Base
from models.blocked_caller import BlockedCaller
from models.call import Call
from models.call_event import LoggedEvent
from models.campaign import Campaign
from models.group import Group
from models.outbox import Outbox
from models.plan import Plan
from models.prompt import Prompt, PromptAudio
from models.tracking_number import TrackingNumber
from models.user import User

ENTITIES: tuple[type[Base], ...] = (
    BlockedCaller,
    Call,
    Campaign,
    Group,
    LoggedEvent,
    Outbox,
    Plan,
    Prompt,
    PromptAudio,
    TrackingNumber,
    User,
)
metadata = Base.metadata
