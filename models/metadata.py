"""All tables: importing this file makes sure that each aggregate has declared its own."""

from models.api_token import ApiToken
from models.audit import AuditEntry
from models.base import Base
from models.blocked_caller import BlockedCaller
from models.call import Call
from models.call_event import LoggedEvent
from models.call_export import CallExport, ExportPart
from models.campaign import Campaign
from models.group import Group
from models.idempotency import KeptAnswer
from models.number_order import NumberOrder, Purchase
from models.number_release import NumberRelease
from models.outbox import Outbox
from models.plan import Plan
from models.prompt import Prompt, PromptAudio
from models.reporting import keeping as _  # noqa: F401 - the tables of the roll-ups have no classes
from models.saved_filter import SavedFilter
from models.session import UserSession
from models.sign_in import OneTimeLink, RecoveryCode, SignInFailures
from models.tracking_number import TrackingNumber
from models.user import User
from models.webhook_delivery import WebhookAttempt, WebhookDelivery
from models.webhook_endpoint import WebhookEndpoint, WebhookLane

ENTITIES: tuple[type[Base], ...] = (
    ApiToken,
    AuditEntry,
    BlockedCaller,
    Call,
    CallExport,
    Campaign,
    ExportPart,
    Group,
    KeptAnswer,
    LoggedEvent,
    NumberOrder,
    NumberRelease,
    OneTimeLink,
    Outbox,
    Plan,
    Prompt,
    PromptAudio,
    Purchase,
    RecoveryCode,
    SavedFilter,
    SignInFailures,
    TrackingNumber,
    User,
    UserSession,
    WebhookAttempt,
    WebhookDelivery,
    WebhookEndpoint,
    WebhookLane,
)
metadata = Base.metadata
