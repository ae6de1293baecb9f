"""Roll-ups of the call log with what notes its changes, and how long groups keep their callers' numbers."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
STATUS = sa.Enum(
    *("waiting", "running", "done", "failed"),
    name="status",
    native_enum=False,
    create_constraint=True,
    length=32,
)
COUNTS = ("calls", "answered", "missed", "open", "referral", "rejected", "apology")

# Once for each statement, however many rows it wrote: what a batch costs is one row a day. Who changes
# rows and no counts says so for his transaction.
POSTGRESQL = (
    """CREATE FUNCTION report_change() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN
         IF current_setting('hookswitch.counts_stay', true) = 'on' THEN RETURN NULL; END IF;
         INSERT INTO report_changes (day)
           SELECT DISTINCT (started_at AT TIME ZONE 'UTC')::date FROM changed;
         RETURN NULL;
       END $$""",
    """CREATE FUNCTION report_correction() RETURNS trigger LANGUAGE plpgsql AS $$
       BEGIN
         IF current_setting('hookswitch.counts_stay', true) = 'on' THEN RETURN NULL; END IF;
         INSERT INTO report_changes (day)
           SELECT (started_at AT TIME ZONE 'UTC')::date FROM replaced
           UNION SELECT (started_at AT TIME ZONE 'UTC')::date FROM changed;
         RETURN NULL;
       END $$""",
    """CREATE TRIGGER report_insert AFTER INSERT ON calls REFERENCING NEW TABLE AS changed
       FOR EACH STATEMENT EXECUTE FUNCTION report_change()""",
    """CREATE TRIGGER report_delete AFTER DELETE ON calls REFERENCING OLD TABLE AS changed
       FOR EACH STATEMENT EXECUTE FUNCTION report_change()""",
    """CREATE TRIGGER report_update AFTER UPDATE ON calls
       REFERENCING OLD TABLE AS replaced NEW TABLE AS changed
       FOR EACH STATEMENT EXECUTE FUNCTION report_correction()""",
    # For how many callers a number had that is over; nothing in it changes after the call's arrival.
    """CREATE INDEX sx_calls_in_vain ON calls (tracking_number, started_at)
       INCLUDE (campaign_id, reason, group_id, caller, caller_hash)
       WHERE reason IN ('ended', 'released', 'unassigned', 'archived')""",
    # All that is there is to be counted.
    """INSERT INTO report_changes (day) SELECT DISTINCT (started_at AT TIME ZONE 'UTC')::date FROM calls""",
)


def upgrade() -> None:
    op.add_column("calls", sa.Column("caller_hash", sa.Text()))
    op.add_column("groups", sa.Column("mask_callers", sa.Boolean()))
    # By hand: to add a constraint to a table of SQLite is to copy it, to add it with its column is not.
    op.execute(
        f"ALTER TABLE groups ADD COLUMN keep_callers_days {WHOLE.compile(op.get_bind().dialect)}"
        " CONSTRAINT ck_groups_keep_callers_days CHECK (keep_callers_days BETWEEN 1 AND 3650)"
    )
    op.add_column("groups", sa.Column("callers_forgotten_at", sa.DateTime(timezone=True)))
    op.create_table(
        "report_changes",
        sa.Column("id", WHOLE, primary_key=True),
        sa.Column("day", sa.Date(), nullable=False),
    )
    op.create_index("ix_report_changes_day", "report_changes", ["day"])
    op.create_table(
        "report_blocks",
        sa.Column("grain", sa.Text(), nullable=False),
        sa.Column("begins", sa.Date(), nullable=False),
        sa.Column("level", sa.SmallInteger(), nullable=False),
        sa.Column("group_id", WHOLE),
        sa.Column("campaign_id", WHOLE),
        sa.Column("number", sa.String(16)),
        *(sa.Column(name, sa.Text()) for name in ("country", "state", "reason")),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in (*COUNTS, "first_time", "withheld")),
        sa.Column("last_at", sa.DateTime(timezone=True)),
    )
    for columns in (["grain", "begins", "level"], ["level", "grain", "group_id", "begins"]):
        op.create_index(f"ix_report_blocks_{'_'.join(columns)}", "report_blocks", columns)
    op.create_table(
        "report_quarters",
        sa.Column("group_id", WHOLE, primary_key=True, autoincrement=False),
        sa.Column("campaign_id", WHOLE, primary_key=True, autoincrement=False),
        sa.Column("quarter", sa.Integer(), primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.Integer(), nullable=False) for name in COUNTS),
    )
    op.create_index("ix_report_quarters_quarter", "report_quarters", ["quarter"])
    of_campaigns = sa.text("campaign_id > 0")
    op.create_index(
        "ix_report_quarters_campaign_id_quarter",
        "report_quarters",
        ["campaign_id", "quarter"],
        postgresql_where=of_campaigns,
        sqlite_where=of_campaigns,
    )
    op.create_table(
        "report_callers",
        sa.Column("group_id", WHOLE, primary_key=True, autoincrement=False),
        sa.Column("caller", sa.Text(), primary_key=True),
        sa.Column("day", sa.Date(), nullable=False),
    )
    op.create_index("ix_report_callers_day", "report_callers", ["day"])
    op.create_table("report_months", sa.Column("month", sa.Date(), primary_key=True))
    op.create_table(
        "call_exports",
        sa.Column("id", WHOLE, primary_key=True),
        sa.Column("user_id", WHOLE, sa.ForeignKey("users.id"), nullable=False, index=True),
        sa.Column("form", sa.Text(), nullable=False),
        sa.Column("filters", sa.JSON(), nullable=False),
        sa.Column("status", STATUS, nullable=False),
        sa.Column("rows", WHOLE, nullable=False),
        sa.Column("total", WHOLE),
        sa.Column("problem", sa.Text()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False, index=True),
        sa.Column("worked_until", sa.DateTime(timezone=True)),
    )
    op.create_table(
        "call_export_parts",
        sa.Column("export_id", WHOLE, sa.ForeignKey("call_exports.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("position", WHOLE, primary_key=True, autoincrement=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
    )
    if op.get_bind().dialect.name == "postgresql":
        for statement in POSTGRESQL:
            op.get_bind().exec_driver_sql(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.drop_index("sx_calls_in_vain")
        for name in ("insert", "delete", "update"):
            op.execute(f"DROP TRIGGER report_{name} ON calls")
        for name in ("change", "correction"):
            op.execute(f"DROP FUNCTION report_{name}()")
    op.drop_table("call_export_parts")
    op.drop_table("call_exports")
    for table in ("months", "callers", "quarters", "blocks", "changes"):
        op.drop_table(f"report_{table}")
    op.drop_column("groups", "callers_forgotten_at")
    op.drop_column("groups", "keep_callers_days")
    op.drop_column("groups", "mask_callers")
    op.drop_column("calls", "caller_hash")
