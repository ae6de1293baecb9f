"""Telling others: webhook endpoints, the way to each, deliveries and every attempt to make them."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text()
INSTANT = sa.DateTime(timezone=True)


def words(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def key() -> sa.Column[int]:
    return sa.Column("id", WHOLE, primary_key=True)


def refers_to(name: str, column: str) -> sa.Column[int]:
    return sa.Column(name, WHOLE, sa.ForeignKey(column), nullable=False)


def instant(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, INSTANT, nullable=nullable)


def index_where(name: str, table: str, columns: list[str], condition: str) -> None:
    where = sa.text(condition)
    op.create_index(name, table, columns, postgresql_where=where, sqlite_where=where)


def upgrade() -> None:
    op.create_index("ix_campaigns_ends_at", "campaigns", ["ends_at"])
    op.create_table(
        "webhook_endpoints",
        key(),
        refers_to("group_id", "groups.id"),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("address", TEXT, nullable=False),
        sa.Column("events", sa.JSON(), nullable=False),
        sa.Column("campaign_ids", sa.JSON()),
        sa.Column("fields", sa.JSON(), nullable=False),
        sa.Column("secret", TEXT, nullable=False),
        sa.Column("previous_secret", TEXT),
        instant("previous_until", nullable=True),
        sa.Column("paused", sa.Boolean(), nullable=False),
        instant("disabled_at", nullable=True),
        sa.Column("disabled_because", TEXT),
        instant("archived_at", nullable=True),
        sa.Column("revision", WHOLE, nullable=False),
        instant("created_at"),
        sa.CheckConstraint(
            "(previous_secret IS NULL) = (previous_until IS NULL)", name="previous_for_a_time"
        ),
        sa.CheckConstraint(
            "(disabled_at IS NULL) = (disabled_because IS NULL)", name="disabled_for_a_reason"
        ),
    )
    op.create_index("ix_webhook_endpoints_group_id", "webhook_endpoints", ["group_id"])
    op.create_table(
        "webhook_lanes",
        sa.Column("endpoint_id", WHOLE, sa.ForeignKey("webhook_endpoints.id"), primary_key=True),
        sa.Column("worker", TEXT),
        instant("leased_until", nullable=True),
        instant("blocked_until", nullable=True),
        sa.Column("failures", WHOLE, nullable=False),
        instant("failing_since", nullable=True),
        instant("last_success_at", nullable=True),
    )
    index_where("ix_webhook_lanes_worker", "webhook_lanes", ["worker"], "worker IS NOT NULL")
    op.create_table(
        "webhook_deliveries",
        key(),
        refers_to("endpoint_id", "webhook_endpoints.id"),
        sa.Column("subject", TEXT, nullable=False),
        sa.Column("step", TEXT, nullable=False),
        sa.Column("message_id", sa.String(64), nullable=False),
        sa.Column("event", TEXT, nullable=False),
        sa.Column("campaign_id", WHOLE),
        sa.Column("body", TEXT, nullable=False),
        sa.Column("status", words("status", "pending", "delivered", "failed"), nullable=False),
        sa.Column("attempts", WHOLE, nullable=False),
        instant("due_at"),
        instant("occurred_at"),
        instant("created_at"),
        instant("settled_at", nullable=True),
        sa.UniqueConstraint("endpoint_id", "subject", "step"),
    )
    index_where(
        "ix_webhook_deliveries_due",
        "webhook_deliveries",
        ["endpoint_id", "due_at", "id"],
        "status = 'pending'",
    )
    op.create_index(
        "ix_webhook_deliveries_endpoint_id_created_at_id",
        "webhook_deliveries",
        ["endpoint_id", "created_at", "id"],
    )
    op.create_index("ix_webhook_deliveries_created_at", "webhook_deliveries", ["created_at"])
    op.create_table(
        "webhook_attempts",
        key(),
        sa.Column(
            "delivery_id", WHOLE, sa.ForeignKey("webhook_deliveries.id", ondelete="CASCADE"), nullable=False
        ),
        instant("at"),
        sa.Column("status", WHOLE),
        sa.Column("milliseconds", WHOLE, nullable=False),
        sa.Column("problem", TEXT),
        sa.Column("answer", TEXT),
    )
    op.create_index("ix_webhook_attempts_delivery_id_id", "webhook_attempts", ["delivery_id", "id"])


def downgrade() -> None:
    for table in ("webhook_attempts", "webhook_deliveries", "webhook_lanes", "webhook_endpoints"):
        op.drop_table(table)
    op.drop_index("ix_campaigns_ends_at", "campaigns")
