"""Who may do what: sessions, tokens, one-time links, the audit trail, saved filters, kept answers."""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0002"
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text()
INSTANT = sa.DateTime(timezone=True)
DIGEST = sa.String(64)
NEW_OF_USERS = (
    ("password_changed_at", INSTANT),
    ("totp_secret", TEXT),
    ("totp_confirmed_at", INSTANT),
    ("totp_last_step", WHOLE),
)


def words(name: str, *values: str) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=32)


def key() -> sa.Column[int]:
    return sa.Column("id", WHOLE, primary_key=True)


def of_user() -> sa.Column[int]:
    return sa.Column("user_id", WHOLE, sa.ForeignKey("users.id"), nullable=False)


def instant(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, INSTANT, nullable=nullable)


def upgrade() -> None:
    for name, kind in NEW_OF_USERS:
        op.add_column("users", sa.Column(name, kind))
    op.create_table(
        "audit_entries",
        key(),
        instant("at"),
        sa.Column("user_id", WHOLE, sa.ForeignKey("users.id")),
        sa.Column("via", words("via", "api", "page", "command", "system"), nullable=False),
        sa.Column("entity", TEXT, nullable=False),
        sa.Column("entity_id", WHOLE, nullable=False),
        sa.Column("group_id", WHOLE),
        sa.Column("field", TEXT, nullable=False),
        sa.Column("old", TEXT),
        sa.Column("new", TEXT),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_entries_entity_entity_id_id", "audit_entries", ["entity", "entity_id", "id"])
    op.create_index("ix_audit_entries_group_id_id", "audit_entries", ["group_id", "id"])
    op.create_index("ix_audit_entries_user_id", "audit_entries", ["user_id"])
    op.create_table(
        "sessions",
        key(),
        sa.Column("token_hash", DIGEST, nullable=False),
        of_user(),
        instant("created_at"),
        instant("seen_at"),
        instant("second_factor_at", nullable=True),
        sa.Column("user_agent", TEXT, nullable=False),
        sa.UniqueConstraint("token_hash"),
    )
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])
    op.create_table(
        "api_tokens",
        key(),
        of_user(),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("token_hash", DIGEST, nullable=False),
        sa.Column("scope", words("scope", "read", "write", "admin"), nullable=False),
        instant("created_at"),
        *(instant(name, nullable=True) for name in ("expires_at", "last_used_at", "revoked_at")),
        sa.UniqueConstraint("token_hash"),
        sa.CheckConstraint("trim(name) <> ''", name="named"),
    )
    op.create_index("ix_api_tokens_user_id", "api_tokens", ["user_id"])
    op.create_table(
        "one_time_links",
        key(),
        sa.Column("token_hash", DIGEST, nullable=False),
        of_user(),
        sa.Column("purpose", words("purpose", "invite", "reset"), nullable=False),
        instant("created_at"),
        instant("expires_at"),
        instant("used_at", nullable=True),
        sa.UniqueConstraint("token_hash"),
    )
    op.create_index("ix_one_time_links_user_id", "one_time_links", ["user_id"])
    op.create_table(
        "recovery_codes",
        key(),
        of_user(),
        sa.Column("code_hash", DIGEST, nullable=False),
        instant("used_at", nullable=True),
        sa.UniqueConstraint("user_id", "code_hash"),
    )
    op.create_table(
        "sign_in_failures",
        sa.Column("subject", DIGEST, primary_key=True),
        sa.Column("failures", WHOLE, nullable=False),
        instant("last_failed_at"),
    )
    op.create_table(
        "saved_filters",
        key(),
        of_user(),
        sa.Column("page", TEXT, nullable=False),
        sa.Column("query", TEXT, nullable=False),
        instant("created_at"),
        instant("updated_at"),
        sa.UniqueConstraint("user_id", "page"),
    )
    op.create_table(
        "kept_answers",
        key(),
        of_user(),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("fingerprint", DIGEST, nullable=False),
        sa.Column("status", WHOLE, nullable=False),
        sa.Column("location", TEXT),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        instant("created_at"),
        sa.UniqueConstraint("user_id", "key"),
    )
    op.create_index("ix_kept_answers_created_at", "kept_answers", ["created_at"])


def downgrade() -> None:
    for table in (
        *("kept_answers", "saved_filters", "sign_in_failures", "recovery_codes"),
        *("one_time_links", "api_tokens", "sessions", "audit_entries"),
    ):
        op.drop_table(table)
    with op.batch_alter_table("users") as users:
        for name, _kind in NEW_OF_USERS:
            users.drop_column(name)
