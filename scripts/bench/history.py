"""Fill a PostgreSQL with a long call log: an account whose calls come by day and night, from many and few."""

from datetime import datetime

from sqlalchemy import text

from models.database import Database
from scripts.bench.account import seed

GROUPS, CAMPAIGNS, NUMBERS = 500, 10_000, 50_000
_MONTHS = 24
_BATCH = 500_000

# Indexes and triggers come back afterwards: one by one a row costs ten times as much.
_INDEXES = """SELECT c.relname, pg_get_indexdef(i.indexrelid) FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid
  WHERE i.indrelid = 'calls'::regclass AND NOT i.indisunique"""

# A third of the calls goes to few numbers and a fifth comes from callers who ring often; four out of
# five come by day.
_CALLS = """INSERT INTO calls (carrier, call_sid, tracking_number, campaign_id, campaign_external_id,
    group_id, caller, caller_city, caller_state, caller_country, decision, reason, destination, started_at,
    answered_at, ended_at, ring_seconds, talk_seconds, duration_seconds, disposition, disposition_rank,
    source, facts, created_at)
  SELECT 'twilio', 'CA' || md5(k::text), n.number, n.campaign_id, 'crm-' || n.campaign_id, n.group_id,
    CASE WHEN chance(k, 23, 40) > 0
      THEN '+1' || 5000000000
        + chance(k, 24, CASE WHEN chance(k, 31, 5) > 0 THEN 3000000000 ELSE 20000 END) END,
    'Springfield',
    (ARRAY['CA','TX','FL','NY','PA','IL','OH','GA','NC','MI','NJ','VA','WA','AZ','MA'])
      [1 + chance(k, 32, 15)],
    CASE WHEN chance(k, 33, 12) > 0 THEN 'US' ELSE 'CA' END,
    CASE WHEN d < 7 THEN 'connect' WHEN d = 7 THEN 'referral' ELSE 'reject' END,
    CASE WHEN d < 7 THEN 'live' WHEN d = 7 THEN 'referral' WHEN d = 8 THEN 'paused' ELSE 'ended' END,
    CASE WHEN d < 7 THEN '+14155550190' END, at,
    CASE WHEN d < 6 THEN at + interval '12 seconds' END, at + chance(k, 27, 620) * interval '1 second',
    chance(k, 25, 20), CASE WHEN d < 6 THEN chance(k, 26, 600) END, chance(k, 27, 620),
    CASE WHEN d < 6 THEN 'completed' WHEN d = 6 THEN 'no-answer' END,
    CASE WHEN d < 6 THEN 35 WHEN d = 6 THEN 33 END,
    'index', '{"number": "1 7 12", "campaign": "1 7 3 1700000000 0 2 +14155550190"}', at
  FROM (SELECT k, chance(k, 29, 10) AS d,
      date_trunc('day', CAST(:now AS timestamptz)
          - CAST(:days AS float8) * (1 - k::float8 / :calls) * interval '1 day')
        + CASE WHEN chance(k, 34, 5) > 0 THEN (14 * 3600 + chance(k, 35, 36000)) ELSE chance(k, 35, 86400) END
        * interval '1 second' AS at,
      1 + CASE WHEN chance(k, 36, 3) > 0 THEN chance(k, 30, :numbers)
        ELSE (power(chance(k, 37, 100000) / 100000.0, 4) * :numbers)::bigint END AS number
    FROM generate_series(CAST(:first AS bigint), CAST(:last AS bigint)) k) c
  JOIN tracking_numbers n ON n.id = LEAST(c.number, :numbers)
  WHERE at <= :now"""


def seed_history(database: Database, calls: int, now: datetime) -> None:
    """Add an account of `GROUPS`, `CAMPAIGNS` and `NUMBERS` and its calls of two years, about `calls`."""
    few = min(1.0, calls / 1_000_000)
    groups, campaigns = max(20, int(GROUPS * few)), max(200, int(CAMPAIGNS * few))
    seed(database, groups=groups, campaigns=campaigns, numbers=campaigns * 5, calls=0, now=now)
    with database.engine.begin() as connection:
        indexes = connection.execute(text(_INDEXES)).all()
        for name, _definition in indexes:
            connection.exec_driver_sql(f"DROP INDEX {name}")
        connection.exec_driver_sql("ALTER TABLE calls DISABLE TRIGGER USER")
        connection.exec_driver_sql("SET LOCAL synchronous_commit = off")
        values = {"now": now, "calls": calls, "days": _MONTHS * 30.4, "numbers": campaigns * 5}
        for first in range(1, calls + 1, _BATCH):
            last = min(first + _BATCH - 1, calls)
            connection.execute(text(_CALLS), values | {"first": first, "last": last})
        connection.exec_driver_sql("SET LOCAL maintenance_work_mem = '512MB'")
        for _name, definition in indexes:
            connection.exec_driver_sql(definition.replace("%", "%%"))
        connection.exec_driver_sql("ALTER TABLE calls ENABLE TRIGGER USER")
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE calls"))
