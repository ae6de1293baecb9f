"""Orders that a worker carries out: when it goes on with them, and those that were cancelled."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0008"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.add_column("number_orders", sa.Column("next_at", INSTANT))
    op.add_column("number_orders", sa.Column("cancelled_at", INSTANT))
    op.create_index("ix_number_orders_next_at", "number_orders", ["next_at"])


def downgrade() -> None:
    op.drop_index("ix_number_orders_next_at", "number_orders")
    op.drop_column("number_orders", "cancelled_at")
    op.drop_column("number_orders", "next_at")
