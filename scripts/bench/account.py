"""Fill a PostgreSQL with one large account: a tree of groups with all that operators list."""

from datetime import datetime

from sqlalchemy import Connection, text

from models.database import Database

_CHILDREN = 10
"""Groups directly below each group, as far as there are enough."""
_WORDS = "'Spring','Summer','Autumn','Winter','Easter','Harvest','Garden','City','Night','Family'"
_MEDIA = "'Leaflet','Poster','Radio','Billboard','Newspaper','Van','Website','Magazine','Stand'"
_CITIES = "'Berlin','Denver','Lyon','Sevilla','Oakland','Bristol','Köln','Tucson','Malmö','Reno','Bath'"

# Constants that share no factor with the sizes scatter rows over groups, owners and times.
_STATEMENTS = (
    """INSERT INTO plans (id, name, includes_referral) VALUES (1, 'Full', true), (2, 'Basic', false)""",
    """INSERT INTO groups (id, parent_id, name, external_id, plan_id, time_zone, phone)
       SELECT i, CASE WHEN i > 1 THEN (i - 2) / :children + 1 END,
         (ARRAY[{cities}])[1 + i % 11] || ' branch ' || i, 'grp-' || i,
         CASE i WHEN 1 THEN 1 WHEN 3 THEN 2 END, CASE i WHEN 1 THEN 'UTC' END,
         CASE i WHEN 1 THEN '+14155550100' END
       FROM generate_series(1, :groups) i""",
    """INSERT INTO users (id, email, name, role, group_id, time_zone, status, created_at)
       SELECT i, 'user' || i || '@example.com', 'User ' || (i * 7919 % 10007),
         CASE WHEN i <= :groups THEN 'admin' ELSE 'standard' END, 1 + (i - 1) % :groups, 'UTC',
         CASE WHEN i % 50 = 0 THEN 'disabled' ELSE 'active' END, :now
       FROM generate_series(1, :groups * 3) i""",
    """INSERT INTO prompts (id, group_id, name, kind, language)
       SELECT i, i, 'Goodbye ' || i, 'text', (ARRAY['en','es','fr','de'])[1 + i % 4]
       FROM generate_series(1, :groups) i""",
    """INSERT INTO campaigns (id, name, external_id, group_id, owner_id, enabled, archived_at, starts_at,
         ends_at, end_of_campaign, business_name, business_number, prompt_id, destination, revision,
         created_at, updated_at)
       SELECT i, (ARRAY[{words}])[1 + i % 10] || ' ' || (ARRAY[{media}])[1 + i / 3 % 9] || ' '
           || (ARRAY[{cities}])[1 + i / 7 % 11] || ' ' || i,
         CASE WHEN i % 5 > 0 THEN 'crm-' || i END, g, g + :groups * (i % 3), i % 20 > 0,
         CASE WHEN i % 21 = 0 THEN :now END, s,
         CASE WHEN i % 4 > 0 THEN s + (10 + i * 31 % 390) * interval '1 day' END,
         CASE WHEN i % 5 < 2 THEN 'referral' ELSE 'normal' END, 'Business No. ' || i,
         '+1' || 3000000000 + i, CASE WHEN i % 10 = 0 THEN g END, '+1' || 3000000000 + i, 1,
         s - interval '3 days', s - (i % 3) * interval '1 day'
       FROM (SELECT i, 1 + (i::bigint * 7919) % :groups AS g,
               :now - (1100 - 1160.0 * i / :campaigns) * interval '1 day' AS s
             FROM generate_series(1, :campaigns) i) c""",
    """INSERT INTO tracking_numbers (id, number, campaign_id, group_id, name, destination, whisper,
         ring_timeout, record_calls, caller_id, status, released_at, carrier, carrier_sid, revision,
         created_at, updated_at)
       SELECT i, '+1' || 2000000000 + i::bigint * :step, CASE WHEN i % 50 > 0 THEN c.id END, c.group_id,
         CASE WHEN i % 3 > 0 THEN (ARRAY[{media}])[1 + i % 9] || ' ' || i ELSE '' END,
         CASE WHEN i % 10 = 0 THEN '+1' || 4000000000 + i % 1000 END,
         CASE WHEN i % 12 = 0 THEN 'A call from the leaflet' END, NULL, i % 10 = 3,
         CASE WHEN i % 7 = 0 THEN 'tracking_number' ELSE 'caller' END,
         CASE WHEN i % 33 = 0 THEN 'released' ELSE 'active' END, CASE WHEN i % 33 = 0 THEN :now END,
         'twilio', 'PN' || md5(i::text), 1, c.created_at + (i % 10) * interval '1 minute', c.created_at
       FROM generate_series(1, :numbers) i
       JOIN campaigns c ON c.id = 1 + (i - 1) / (:numbers / :campaigns)""",
    """INSERT INTO calls (id, carrier, call_sid, tracking_number, campaign_id, campaign_external_id, group_id,
         caller, caller_state, caller_country, decision, reason, destination, started_at, answered_at,
         ended_at, ring_seconds, talk_seconds, duration_seconds, disposition, source, created_at)
       SELECT k, 'twilio', 'CA' || md5(k::text), n.number, n.campaign_id, 'crm-' || n.campaign_id, n.group_id,
         CASE WHEN k % 40 > 0 THEN '+1' || 5000000000 + (k::bigint * 104729) % 3000000000 END, 'CA', 'US',
         CASE WHEN k % 10 < 7 THEN 'connect' WHEN k % 10 = 7 THEN 'referral' ELSE 'reject' END,
         CASE WHEN k % 10 < 7 THEN 'live' WHEN k % 10 = 7 THEN 'referral' WHEN k % 50 = 8 THEN 'released'
           ELSE 'ended' END,
         NULL, :now - (90.0 * (:calls - k) / :calls) * interval '1 day', NULL, NULL, k % 20,
         CASE WHEN k % 10 < 7 THEN k * 31 % 600 END, k * 31 % 620,
         CASE WHEN k % 10 < 6 THEN 'answered' WHEN k % 10 = 6 THEN 'no_answer' WHEN k % 100 = 8 THEN 'failed'
           ELSE 'rejected' END,
         'index', :now
       FROM generate_series(1, :calls) k
       JOIN tracking_numbers n ON n.id = 1 + (k::bigint * 7919) % :numbers""",
    """INSERT INTO audit_entries (id, at, user_id, via, entity, entity_id, group_id, field, old, new)
       SELECT i, c.created_at + (i % 5) * interval '1 day', c.owner_id, 'page', 'campaign', c.id, c.group_id,
         (ARRAY['name','ends_at','enabled'])[1 + i % 3], 'before', 'after'
       FROM generate_series(1, :campaigns * 3) i JOIN campaigns c ON c.id = 1 + (i - 1) / 3""",
)
_SERIALS = ("plans", "groups", "users", "prompts", "campaigns", "tracking_numbers", "calls", "audit_entries")


def seed(database: Database, *, groups: int, campaigns: int, numbers: int, calls: int, now: datetime) -> None:
    """Add one account: its root is group 1, an admin of group n is user n.

    Nothing goes through the outbox. `numbers` is a multiple of `campaigns`.
    """
    sizes = {"groups": groups, "campaigns": campaigns, "numbers": numbers, "calls": calls}
    with database.engine.begin() as connection:
        for statement in _STATEMENTS:
            _run(connection, statement, sizes | {"now": now, "step": 7919, "children": _CHILDREN})
        for table in _SERIALS:
            connection.execute(
                text(f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), max(id)) FROM {table}")  # noqa: S608
            )
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # Otherwise the server would tidy up in the middle of a measurement.
        connection.execute(text("VACUUM ANALYZE"))


def _run(connection: Connection, statement: str, values: dict[str, object]) -> None:
    written = statement.format(words=_WORDS, media=_MEDIA, cities=_CITIES)
    wanted = text(written)
    used = {name: value for name, value in values.items() if name in wanted.compile().params}
    casts = {name: f"CAST(:{name} AS bigint)" for name, value in used.items() if isinstance(value, int)}
    for name, cast in casts.items():
        written = written.replace(f":{name}", cast)
    written = written.replace(":now", "CAST(:now AS timestamptz)")
    connection.execute(text(written), used)
