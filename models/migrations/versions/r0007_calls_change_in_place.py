"""Let PostgreSQL change calls in place: no index entry for what changes last, and room on each page for it.

A call is written when it arrives and changed a few times until it is over. A change that touches an
indexed column, or finds no room on its page, writes a new entry into each of a dozen indexes. From
PostgreSQL 16 on a BRIN index, which only knows what its stretches of the table hold, does not do that.
"""

from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

OVER_WHAT_CHANGES = (
    ("sx_calls_disposition", "calls (disposition, started_at, id)"),
    ("sx_calls_long", "calls (duration_seconds) WHERE duration_seconds >= 3600"),
)


def upgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for name, _what in OVER_WHAT_CHANGES:
            op.drop_index(name)
        op.execute("ALTER TABLE calls SET (fillfactor = 70)")
        op.execute(
            "CREATE INDEX sx_calls_end ON calls USING brin (disposition text_bloom_ops, duration_seconds) "
            "WITH (pages_per_range = 64, autosummarize = on)"
        )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_index("sx_calls_end")
        op.execute("ALTER TABLE calls RESET (fillfactor)")
        for name, what in OVER_WHAT_CHANGES:
            op.execute(f"CREATE INDEX {name} ON {what}")
