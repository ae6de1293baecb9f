"""Block callers; say where calls of a group may go, and how long they may last."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text()
INSTANT = sa.DateTime(timezone=True)
NOT_LIFTED = sa.text("lifted_at IS NULL")
BLOCKED = sa.text("blocked_by IS NOT NULL")
DIALS = sa.text("destination IS NOT NULL")
LIMITED = ("groups", "campaigns")


def upgrade() -> None:
    op.create_table(
        "blocked_callers",
        sa.Column("id", WHOLE, primary_key=True),
        sa.Column("group_id", WHOLE, sa.ForeignKey("groups.id"), nullable=False, index=True),
        sa.Column("pattern", TEXT, nullable=False, index=True),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("expires_at", INSTANT),
        sa.Column("lifted_at", INSTANT),
        sa.Column("revision", WHOLE, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.Index(
            "uq_blocked_callers_not_lifted",
            *("group_id", "pattern"),
            unique=True,
            postgresql_where=NOT_LIFTED,
            sqlite_where=NOT_LIFTED,
        ),
    )
    op.add_column("groups", sa.Column("countries", TEXT))
    whole = WHOLE.compile(op.get_bind().dialect)
    for table in LIMITED:
        # By hand: to add a constraint to a table of SQLite is to copy it, to add it with its column is not.
        op.execute(
            f"ALTER TABLE {table} ADD COLUMN talk_limit {whole}"
            f" CONSTRAINT ck_{table}_talk_limit CHECK (talk_limit BETWEEN 60 AND 14400)"
        )
    op.add_column("calls", sa.Column("blocked_by", WHOLE))
    op.create_index(
        "ix_calls_blocked_by_started_at",
        "calls",
        ["blocked_by", "started_at"],
        postgresql_where=BLOCKED,
        sqlite_where=BLOCKED,
    )
    op.create_index("ix_campaigns_destination", "campaigns", ["destination"])
    op.create_index(
        "ix_tracking_numbers_destination",
        "tracking_numbers",
        ["destination"],
        postgresql_where=DIALS,
        sqlite_where=DIALS,
    )
    _allow_topics("campaign", "tracking_number", "blocked_caller")


def downgrade() -> None:
    op.execute("DELETE FROM outbox WHERE topic = 'blocked_caller'")
    _allow_topics("campaign", "tracking_number")
    op.drop_index("ix_tracking_numbers_destination", "tracking_numbers")
    op.drop_index("ix_campaigns_destination", "campaigns")
    op.drop_index("ix_calls_blocked_by_started_at", "calls")
    op.drop_column("calls", "blocked_by")
    for table in LIMITED:
        with op.batch_alter_table(table) as limited:
            limited.drop_constraint(op.f(f"ck_{table}_talk_limit"), type_="check")
            limited.drop_column("talk_limit")
    op.drop_column("groups", "countries")
    op.drop_table("blocked_callers")


def _allow_topics(*topics: str) -> None:
    name = op.f("ck_outbox_topic")
    connection = op.get_bind()
    # SQLite copies the table, and has to go on counting where that was: an id that came back could be
    # discarded unread.
    is_copied = connection.dialect.name == "sqlite"
    counter = "FROM sqlite_sequence WHERE name = 'outbox'"
    last = connection.scalar(sa.text(f"SELECT seq {counter}")) if is_copied else None
    with op.batch_alter_table("outbox", table_kwargs={"sqlite_autoincrement": True}) as outbox:
        outbox.drop_constraint(name, type_="check")
        outbox.create_check_constraint(name, sa.column("topic").in_(topics))
    if last is not None:
        connection.execute(sa.text(f"DELETE {counter}"))
        counted = sa.text("INSERT INTO sqlite_sequence (name, seq) VALUES ('outbox', :last)")
        connection.execute(counted, {"last": last})
