"""Create the tables that a call needs: groups, users, campaigns, numbers, prompts, calls, outbox."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

WHOLE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
TEXT = sa.Text()
NUMBER = sa.String(16)
INSTANT = sa.DateTime(timezone=True)
DIGEST = sa.String(64)
HELD = sa.text("status = 'active'")


def upgrade() -> None:
    op.create_table(
        "plans",
        sa.Column("id", WHOLE, primary_key=True),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("includes_referral", sa.Boolean(), nullable=False),
        sa.CheckConstraint("trim(name) <> ''", name="named"),
        sa.UniqueConstraint("name"),
    )
    op.create_table(
        "groups",
        sa.Column("id", WHOLE, primary_key=True),
        sa.Column("parent_id", WHOLE, sa.ForeignKey("groups.id"), index=True),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("external_id", TEXT),
        sa.Column("plan_id", WHOLE, sa.ForeignKey("plans.id"), index=True),
        sa.Column("time_zone", TEXT, nullable=False),
        sa.Column("industry", TEXT),
        sa.Column("phone", NUMBER),
        sa.Column("city", TEXT),
        sa.Column("archived_at", INSTANT),
        sa.Column("default_destination", NUMBER),
        sa.Column("default_whisper", TEXT),
        sa.Column("default_ring_timeout", WHOLE),
        sa.Column("default_record_calls", sa.Boolean(), nullable=False),
        _words("default_caller_id", "caller", "tracking_number"),
        sa.CheckConstraint("trim(name) <> ''", name="named"),
        sa.CheckConstraint("parent_id <> id", name="not_its_own_parent"),
        sa.CheckConstraint("default_ring_timeout BETWEEN 5 AND 600", name="default_ring_timeout"),
    )
    op.create_table(
        "users",
        sa.Column("id", WHOLE, primary_key=True),
        sa.Column("email", TEXT, nullable=False),
        sa.Column("name", TEXT, nullable=False),
        _words("role", "admin", "standard"),
        sa.Column("group_id", WHOLE, sa.ForeignKey("groups.id"), nullable=False, index=True),
        sa.Column("time_zone", TEXT, nullable=False),
        _words("status", "active", "disabled"),
        sa.Column("password_hash", TEXT),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.CheckConstraint("email = lower(email) AND email <> ''", name="email_in_lower_case"),
        sa.CheckConstraint("trim(name) <> ''", name="named"),
        sa.UniqueConstraint("email"),
    )
    op.create_table(
        "prompt_audio",
        sa.Column("digest", DIGEST, primary_key=True),
        sa.Column("media_type", TEXT, nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
    )
    op.create_table(
        "prompts",
        sa.Column("id", WHOLE, primary_key=True),
        sa.Column("group_id", WHOLE, sa.ForeignKey("groups.id"), nullable=False, index=True),
        sa.Column("name", TEXT, nullable=False),
        _words("kind", "text", "recording"),
        sa.Column("language", TEXT, nullable=False),
        sa.Column("voice", TEXT),
        sa.Column("text", TEXT),
        sa.Column("digest", DIGEST, sa.ForeignKey("prompt_audio.digest"), index=True),
        sa.CheckConstraint("trim(name) <> ''", name="named"),
        sa.CheckConstraint("kind = 'text' OR digest IS NOT NULL", name="recording_has_audio"),
    )
    op.create_table(
        "campaigns",
        sa.Column("id", WHOLE, primary_key=True),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("external_id", TEXT, index=True),
        sa.Column("group_id", WHOLE, sa.ForeignKey("groups.id"), nullable=False, index=True),
        sa.Column("owner_id", WHOLE, sa.ForeignKey("users.id"), nullable=False, index=True),
        sa.Column("enabled", sa.Boolean(), nullable=False),
        sa.Column("archived_at", INSTANT),
        sa.Column("starts_at", INSTANT, nullable=False),
        sa.Column("ends_at", INSTANT),
        _words("end_of_campaign", "referral", "normal"),
        sa.Column("business_name", TEXT, nullable=False),
        sa.Column("business_number", NUMBER),
        sa.Column("prompt_id", WHOLE, sa.ForeignKey("prompts.id"), index=True),
        sa.Column("destination", NUMBER),
        sa.Column("revision", WHOLE, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.CheckConstraint("trim(name) <> ''", name="named"),
        sa.CheckConstraint("ends_at > starts_at", name="ends_after_its_start"),
    )
    op.create_table(
        "tracking_numbers",
        sa.Column("id", WHOLE, primary_key=True),
        sa.Column("number", NUMBER, nullable=False),
        sa.Column("campaign_id", WHOLE, sa.ForeignKey("campaigns.id"), index=True),
        sa.Column("group_id", WHOLE, sa.ForeignKey("groups.id"), nullable=False, index=True),
        sa.Column("name", TEXT, nullable=False),
        sa.Column("destination", NUMBER),
        sa.Column("whisper", TEXT),
        sa.Column("ring_timeout", WHOLE),
        sa.Column("record_calls", sa.Boolean(), nullable=False),
        _words("caller_id", "caller", "tracking_number"),
        _words("status", "active", "released"),
        sa.Column("released_at", INSTANT),
        sa.Column("carrier", TEXT, nullable=False),
        sa.Column("carrier_sid", TEXT),
        sa.Column("revision", WHOLE, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.CheckConstraint("ring_timeout BETWEEN 5 AND 600", name="ring_timeout"),
        sa.CheckConstraint(
            "(status = 'released') = (released_at IS NOT NULL)", name="released_at_an_instant"
        ),
        sa.Index("ix_tracking_numbers_number_id", "number", "id"),
        sa.Index("uq_tracking_numbers_held", "number", unique=True, postgresql_where=HELD, sqlite_where=HELD),
    )
    op.create_table(
        "calls",
        sa.Column("id", WHOLE, primary_key=True),
        sa.Column("carrier", TEXT, nullable=False),
        sa.Column("call_sid", TEXT, nullable=False),
        sa.Column("tracking_number", NUMBER),
        sa.Column("dialled_text", TEXT),
        sa.Column("campaign_id", WHOLE),
        sa.Column("campaign_external_id", TEXT),
        sa.Column("group_id", WHOLE),
        sa.Column("caller", NUMBER),
        sa.Column("caller_city", TEXT),
        sa.Column("caller_state", TEXT),
        sa.Column("caller_country", TEXT),
        sa.Column("attestation", TEXT),
        sa.Column("forwarded_from", NUMBER),
        sa.Column("decision", TEXT, nullable=False),
        sa.Column("reason", TEXT, nullable=False),
        sa.Column("destination", NUMBER),
        sa.Column("started_at", INSTANT, nullable=False),
        sa.Column("answered_at", INSTANT),
        sa.Column("ended_at", INSTANT),
        sa.Column("ring_seconds", WHOLE),
        sa.Column("talk_seconds", WHOLE),
        sa.Column("duration_seconds", WHOLE),
        sa.Column("disposition", TEXT),
        sa.Column("recording_url", TEXT),
        sa.Column("source", TEXT, nullable=False),
        sa.Column("facts", sa.JSON(none_as_null=True)),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.UniqueConstraint("carrier", "call_sid"),
        sa.Index("ix_calls_group_id_started_at", "group_id", "started_at"),
        sa.Index("ix_calls_campaign_id_started_at", "campaign_id", "started_at"),
        sa.Index("ix_calls_tracking_number_started_at", "tracking_number", "started_at"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", WHOLE, primary_key=True),
        _words("topic", "campaign", "tracking_number"),
        sa.Column("entity_id", WHOLE, nullable=False),
        sa.Column("revision", WHOLE, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sqlite_autoincrement=True,
    )


def downgrade() -> None:
    for table in (
        "outbox",
        "calls",
        "tracking_numbers",
        "campaigns",
        "prompts",
        "prompt_audio",
        "users",
        "groups",
        "plans",
    ):
        op.drop_table(table)


def _words(column: str, *allowed: str) -> sa.Column[str]:
    kind = sa.Enum(*allowed, name=column, native_enum=False, create_constraint=True, length=32)
    return sa.Column(column, kind, nullable=False)
