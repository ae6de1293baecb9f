"""All tables: importing this file makes sure that each aggregate has declared its own."""

from models import call, campaign, group, outbox, plan, prompt, tracking_number, user
from models.base import Base

metadata = Base.metadata

TABLES_OF = (call, campaign, group, outbox, plan, prompt, tracking_number, user)
