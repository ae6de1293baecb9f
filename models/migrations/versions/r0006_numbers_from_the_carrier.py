"""Numbers from the carrier: orders with every step of a purchase, releases with their quarantine."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text()
INSTANT = sa.DateTime(timezone=True)
NUMBER = sa.String(16)


def words(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def refers_to(name: str, column: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, WHOLE, sa.ForeignKey(column), nullable=nullable)


def created() -> sa.Column[datetime]:
    return sa.Column("created_at", INSTANT, nullable=False)


def unique_while(name: str, table: str, steps: str) -> None:
    condition = sa.text(f"step IN ({steps})")
    op.create_index(name, table, ["number"], unique=True, postgresql_where=condition, sqlite_where=condition)


def upgrade() -> None:
    op.create_table(
        "number_orders",
        sa.Column("id", WHOLE, primary_key=True),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        refers_to("group_id", "groups.id"),
        refers_to("campaign_id", "campaigns.id", nullable=True),
        refers_to("user_id", "users.id", nullable=True),
        sa.Column("via", words("via", "api", "page", "command", "system"), nullable=False),
        sa.Column("carrier", TEXT, nullable=False),
        sa.Column("quantity", WHOLE, nullable=False),
        sa.Column("wanted", sa.JSON(), nullable=False),
        sa.Column("label", TEXT, nullable=False),
        sa.Column("status", words("status", "open", "complete"), nullable=False),
        sa.Column("problem", TEXT),
        sa.Column("worker", TEXT),
        sa.Column("worked_until", INSTANT),
        created(),
        sa.UniqueConstraint("fingerprint"),
        sa.CheckConstraint("quantity BETWEEN 1 AND 1000", name="quantity"),
    )
    for column in ("group_id", "campaign_id", "user_id"):
        op.create_index(f"ix_number_orders_{column}", "number_orders", [column])
    op.create_table(
        "number_purchases",
        sa.Column("id", WHOLE, primary_key=True),
        refers_to("order_id", "number_orders.id"),
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("position", WHOLE, nullable=False),
        sa.Column(
            "step", words("step", "intent", "bought", "configured", "recorded", "failed"), nullable=False
        ),
        sa.Column("carrier_sid", TEXT),
        refers_to("tracking_number_id", "tracking_numbers.id", nullable=True),
        sa.Column("problem", TEXT),
        created(),
    )
    unique_while("uq_number_purchases_under_way", "number_purchases", "'intent', 'bought', 'configured'")
    op.create_index("ix_number_purchases_order_id_id", "number_purchases", ["order_id", "id"])
    op.create_table(
        "number_releases",
        sa.Column("id", WHOLE, primary_key=True),
        refers_to("tracking_number_id", "tracking_numbers.id"),
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("carrier", TEXT, nullable=False),
        sa.Column("carrier_sid", TEXT),
        sa.Column("step", words("step", "quarantine", "returning", "returned", "undone"), nullable=False),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("returned_at", INSTANT),
        sa.Column("problem", TEXT),
        created(),
    )
    unique_while("uq_number_releases_under_way", "number_releases", "'quarantine', 'returning'")
    op.create_index("ix_number_releases_tracking_number_id", "number_releases", ["tracking_number_id"])
    op.create_index("ix_number_releases_step_due_at", "number_releases", ["step", "due_at"])


def downgrade() -> None:
    for table in ("number_releases", "number_purchases", "number_orders"):
        op.drop_table(table)
