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


def upgrade() -> None:
    op.add_column("prompts", sa.Column("archived_at", sa.DateTime(timezone=True)))
    _change_groups(nullable=True)


def downgrade() -> None:
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
