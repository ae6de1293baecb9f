"""Fill a PostgreSQL with one large account: a tree of groups with all that operators list."""

from datetime import datetime

from sqlalchemy import Connection, text

from models.database import Database

_CHILDREN = 10
"""Groups directly below each group, as far as there are enough."""
_WORDS = (
    "'Spring','Summer','Autumn','Winter','Easter','Harvest','Garden','City','Night','Family','School','River',"
    "'Market','Sports','Music','Kitchen','Travel','Health','Office','Holiday'"
)
_MEDIA = (
    "'Leaflet','Poster','Radio','Billboard','Newspaper','Van','Website','Magazine','Stand','Flyer','Bus',"
    "'Taxi','Banner','Brochure','Catalogue','Coupon','Directory','Exhibition','Fair','Gazette','Insert',"
    "'Journal','Kiosk','Letter','Mailing','Menu','Newsletter','Oven mitt','Package','Quiz','Receipt',"
    "'Sticker','Ticket','Umbrella','Vase','Window','Xylophone','Yearbook','Zeppelin','Podcast'"
)
_CITIES = "'Berlin','Denver','Lyon','Sevilla','Oakland','Bristol','Köln','Tucson','Malmö','Reno','Bath'"

# `chance(serial, column, choices)` is a number from 0 on, the same in each run, alike in no two columns.
_STATEMENTS = (
    """CREATE FUNCTION chance(serial bigint, field bigint, choices bigint) RETURNS bigint LANGUAGE sql
       IMMUTABLE AS 'SELECT (hashint8extended(serial, field) & 4611686018427387903) % choices'""",
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
       SELECT i, (ARRAY[{words}])[1 + chance(i, 1, 20)] || ' ' || (ARRAY[{media}])[1 + chance(i, 2, 40)]
           || ' ' || (ARRAY[{cities}])[1 + chance(i, 3, 11)] || ' ' || i,
         CASE WHEN chance(i, 4, 5) > 0 THEN 'crm-' || i END, g, g + :groups * chance(i, 5, 3),
         chance(i, 6, 20) > 0, CASE WHEN chance(i, 7, 21) = 0 THEN :now END, s,
         CASE WHEN chance(i, 8, 4) > 0 THEN s + (10 + chance(i, 9, 390)) * interval '1 day' END,
         CASE WHEN chance(i, 10, 5) < 2 THEN 'referral' ELSE 'normal' END, 'Business No. ' || i,
         '+1' || 3000000000 + i, CASE WHEN chance(i, 11, 10) = 0 THEN g END, '+1' || 3000000000 + i, 1,
         s - interval '3 days', s - chance(i, 12, 3) * interval '1 day'
       FROM (SELECT i, 1 + chance(i, 13, :groups) AS g,
               :now - (1100 - 1160.0 * i / :campaigns) * interval '1 day' AS s
             FROM generate_series(1, :campaigns) i) c""",
    """INSERT INTO tracking_numbers (id, number, campaign_id, group_id, name, destination, whisper,
         ring_timeout, record_calls, caller_id, status, released_at, carrier, carrier_sid, revision,
         created_at, updated_at)
       SELECT i, '+1' || 2000000000 + i::bigint * 6700417 % 7999999973,
         CASE WHEN chance(i, 14, 50) > 0 THEN c.id END, c.group_id,
         CASE WHEN chance(i, 15, 3) > 0 THEN (ARRAY[{media}])[1 + chance(i, 16, 40)] || ' ' || i ELSE '' END,
         CASE WHEN chance(i, 17, 10) = 0 THEN '+1' || 4000000000 + chance(i, 18, 1000) END,
         CASE WHEN chance(i, 19, 12) = 0 THEN 'From the leaflet' END, NULL, chance(i, 20, 10) = 3,
         CASE WHEN chance(i, 21, 7) = 0 THEN 'tracking_number' ELSE 'caller' END,
         CASE WHEN released THEN 'released' ELSE 'active' END, CASE WHEN released THEN :now END,
         'twilio', 'PN' || md5(i::text), 1, c.created_at + (i % 10) * interval '1 minute', c.created_at
       FROM (SELECT i, i < :numbers / 3 AND chance(i, 22, 10) = 0 AS released
             FROM generate_series(1, :numbers) i) n
       JOIN campaigns c ON c.id = 1 + (i - 1) / (:numbers / :campaigns)""",
    """INSERT INTO calls (id, carrier, call_sid, tracking_number, campaign_id, campaign_external_id, group_id,
         caller, caller_state, caller_country, decision, reason, started_at, ring_seconds, talk_seconds,
         duration_seconds, disposition, source, created_at)
       SELECT k, 'twilio', 'CA' || md5(k::text), n.number, n.campaign_id, 'crm-' || n.campaign_id, n.group_id,
         CASE WHEN chance(k, 23, 40) > 0 THEN '+1' || 5000000000 + chance(k, 24, 3000000000) END,
         'CA', 'US',
         CASE WHEN d < 7 THEN 'connect' WHEN d = 7 THEN 'referral' ELSE 'reject' END,
         CASE WHEN d < 7 THEN 'live' WHEN d = 7 THEN 'referral' WHEN d = 8 THEN 'released' ELSE 'ended' END,
         :now - (90.0 * (:calls - k) / :calls) * interval '1 day', chance(k, 25, 20),
         CASE WHEN d < 6 THEN chance(k, 26, 600) END, chance(k, 27, 620),
         CASE WHEN d < 6 THEN 'answered' WHEN d = 6 THEN 'no_answer'
           WHEN chance(k, 28, 100) = 8 THEN 'failed' ELSE 'rejected' END,
         'index', :now
       FROM (SELECT k, chance(k, 29, 10) AS d FROM generate_series(1, :calls) k) c
       JOIN tracking_numbers n ON n.id = 1 + chance(k, 30, :numbers)""",
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
            _run(connection, statement, sizes | {"now": now, "children": _CHILDREN})
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
