"""Keep what carriers report of a call: its events, and in the call log their sum."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text()
INSTANT = sa.DateTime(timezone=True)
NEW_COLUMNS = (
    ("rang_at", INSTANT),
    ("rang_until", INSTANT),
    ("disposition_rank", WHOLE),
    ("answering_leg", TEXT),
    ("answering_leg_rank", WHOLE),
    ("recording_sid", TEXT),
    ("recording_seconds", WHOLE),
    ("consent_version", TEXT),
    ("reconciled_at", INSTANT),
)
OF_THE_ARRIVAL = ("decision", "reason", "source")


def upgrade() -> None:
    kinds = sa.Enum(
        *("dial", "leg", "call", "recording"),
        name="kind",
        native_enum=False,
        create_constraint=True,
        length=32,
    )
    op.create_table(
        "call_events",
        sa.Column("id", WHOLE, primary_key=True),
        sa.Column("carrier", TEXT, nullable=False),
        sa.Column("call_sid", TEXT, nullable=False),
        sa.Column("kind", kinds, nullable=False),
        sa.Column("key", TEXT, nullable=False),
        sa.Column("occurred_at", INSTANT),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.Column("raw", sa.JSON(), nullable=False),
        sa.UniqueConstraint("carrier", "call_sid", "key"),
    )
    with op.batch_alter_table("calls") as calls:
        for name, kind in NEW_COLUMNS:
            calls.add_column(sa.Column(name, kind))
        for name in OF_THE_ARRIVAL:
            calls.alter_column(name, existing_type=TEXT, nullable=True)


def downgrade() -> None:
    calls_table = sa.table("calls", *(sa.column(name, TEXT) for name in OF_THE_ARRIVAL))
    op.execute(
        calls_table.update()
        .where(calls_table.c.decision.is_(None))
        .values(dict.fromkeys(OF_THE_ARRIVAL, "unknown"))
    )
    with op.batch_alter_table("calls") as calls:
        for name in OF_THE_ARRIVAL:
            calls.alter_column(name, existing_type=TEXT, nullable=False)
        for name, _kind in NEW_COLUMNS:
            calls.drop_column(name)
    op.drop_table("call_events")
