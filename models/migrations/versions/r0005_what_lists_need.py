"""Let groups leave more to their parents, put prompts away, and find rows of long lists quickly."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TEXT = sa.Text()
CALLER_ID = sa.String(32)
LEFT_TO_PARENTS = (
    ("time_zone", TEXT, "UTC"),
    ("default_record_calls", sa.Boolean(), False),
    ("default_caller_id", CALLER_ID, "caller"),
)


PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
NEVER = "TIMESTAMP WITH TIME ZONE '9999-12-31 23:59:59.999999+00:00'"
BOTH = (
    ("ix_campaigns_starts_at_id", "campaigns", ["starts_at", "id"]),
    ("ix_campaigns_created_at_id", "campaigns", ["created_at", "id"]),
    ("ix_campaigns_updated_at_id", "campaigns", ["updated_at", "id"]),
    ("ix_tracking_numbers_created_at_id", "tracking_numbers", ["created_at", "id"]),
    ("ix_calls_started_at_id", "calls", ["started_at", "id"]),
    ("ix_audit_entries_at_id", "audit_entries", ["at", "id"]),
)
"""For both databases, as the mappings say."""


def words_of(*columns: str) -> str:
    joined = " || ' ' || ".join(f"coalesce({column}, '')" for column in columns)
    punctuation = PUNCTUATION.replace("'", "''")
    parted = f"translate(lower({joined}), '{punctuation}', '{' ' * len(PUNCTUATION)}')"
    return f"array_to_tsvector(array_remove(string_to_array({parted}, ' '), ''))"


POSTGRESQL = (
    (
        "sx_campaigns_words",
        f"campaigns USING gin ({words_of('name', 'external_id')}) WITH (fastupdate = off)",
    ),
    ("sx_campaigns_name", 'campaigns (lower(name) COLLATE "C", id)'),
    ("sx_campaigns_external_id", "campaigns (lower(coalesce(external_id, '')) COLLATE \"C\", id)"),
    ("sx_campaigns_ends_at", f"campaigns (coalesce(ends_at, {NEVER}), id)"),
    ("sx_tracking_numbers_words", f"tracking_numbers USING gin ({words_of('name')}) WITH (fastupdate = off)"),
    ("sx_tracking_numbers_name", 'tracking_numbers (lower(name) COLLATE "C", id)'),
    ("sx_tracking_numbers_begin", "tracking_numbers (number varchar_pattern_ops)"),
    ("sx_tracking_numbers_end", "tracking_numbers (reverse(number) text_pattern_ops)"),
    ("sx_tracking_numbers_destination", "tracking_numbers (destination) WHERE destination IS NOT NULL"),
    # Few rows, all of them perhaps at the far end of an order: nobody should walk there.
    *(
        (f"sx_tracking_numbers_{kind}_{order}", f"tracking_numbers ({columns}) WHERE {condition}")
        for kind, condition in (("released", "status = 'released'"), ("unassigned", "campaign_id IS NULL"))
        for order, columns in (
            ("number", "number, id"),
            ("name", 'lower(name) COLLATE "C", id'),
            ("created_at", "created_at, id"),
        )
    ),
    ("sx_calls_decision", "calls (decision, started_at, id)"),
    ("sx_calls_reason", "calls (reason, started_at, id)"),
    ("sx_calls_disposition", "calls (disposition, started_at, id)"),
    ("sx_calls_long", "calls (duration_seconds) WHERE duration_seconds >= 3600"),
    ("sx_calls_caller_begin", "calls (caller varchar_pattern_ops)"),
    ("sx_calls_caller_end", "calls (reverse(caller) text_pattern_ops)"),
)
"""What searches by expressions, for which SQLite reads the rows."""


def upgrade() -> None:
    op.add_column("prompts", sa.Column("archived_at", sa.DateTime(timezone=True)))
    _change_groups(nullable=True)
    for name, table, columns in BOTH:
        op.create_index(name, table, columns)
    if op.get_bind().dialect.name == "postgresql":
        for name, what in POSTGRESQL:
            op.get_bind().exec_driver_sql(f"CREATE INDEX {name} ON {what}".replace("%", "%%"))


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for name, _what in POSTGRESQL:
            op.drop_index(name)
    for name, table, _columns in BOTH:
        op.drop_index(name, table)
    for name, kind, filling in LEFT_TO_PARENTS:
        groups = sa.table("groups", sa.column(name, kind))
        column = groups.c[name]
        op.execute(groups.update().where(column.is_(None)).values({name: filling}))
    _change_groups(nullable=False)
    op.drop_column("prompts", "archived_at")


def _change_groups(*, nullable: bool) -> None:
    checks: list[sa.CheckConstraint] = []
    if op.get_bind().dialect.name == "sqlite":
        # It copies the table, and the copy would have none.
        found = sa.inspect(op.get_bind()).get_check_constraints("groups")
        checks = [sa.CheckConstraint(c["sqltext"], name=op.f(str(c["name"]))) for c in found]
    with op.batch_alter_table("groups", table_args=tuple(checks)) as groups:
        for name, kind, _filling in LEFT_TO_PARENTS:
            groups.alter_column(name, existing_type=kind, nullable=nullable)
