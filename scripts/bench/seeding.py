"""Fill a database with campaigns and numbers, as many as asked, within seconds."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    String,
    Table,
    cast,
    insert,
    literal,
    select,
    text,
)

from models.base import Base
from models.campaign import Campaign
from models.database import Database
from models.group import Group
from models.tracking_number import NumberStatus, TrackingNumber
from models.user import Role, User, UserStatus
from routing.numbers import PhoneNumber
from routing.route import CallerId, EndOfCampaign

NUMBERS_OF_A_CAMPAIGN = 10
_FIRST_NUMBER = 2_000_000_000
_FIRST_DESTINATION = 3_000_000_000
_GROUP = 1
_OWNER = 1


def number_at(position: int) -> PhoneNumber:
    """The seeded number at a position, counted from 0."""
    return PhoneNumber(f"+1{_FIRST_NUMBER + position}")


def campaign_at(position: int) -> int:
    """The campaign of that number."""
    return position // NUMBERS_OF_A_CAMPAIGN + 1


def destination_at(position: int) -> PhoneNumber:
    """The number that its callers are connected to."""
    return PhoneNumber(f"+1{_FIRST_DESTINATION + campaign_at(position)}")


def seed(database: Database, positions: range, now: datetime) -> None:
    """Add the numbers at `positions` with their campaigns, all live; the first range begins at 0.

    The range holds whole campaigns. Nothing goes through the outbox: rebuild the index afterwards.
    """
    with database.engine.begin() as connection:
        if positions.start == 0:
            _add_owner(connection, now)
        _add_campaigns(connection, range(campaign_at(positions.start), campaign_at(positions.stop)), now)
        _add_numbers(connection, positions, now)
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        # Otherwise the server would tidy up in the middle of a measurement.
        connection.execute(text("VACUUM ANALYZE" if database.is_postgresql else "ANALYZE"))


def _add_owner(connection: Connection, now: datetime) -> None:
    group = {"id": _GROUP, "name": "Bench", "time_zone": "UTC"}
    connection.execute(insert(_table(Group)).values(group))
    owner = {"id": _OWNER, "email": "bench@example.com", "name": "Bench", "group_id": _GROUP}
    rights = {"role": Role.ADMIN, "status": UserStatus.ACTIVE, "time_zone": "UTC", "created_at": now}
    connection.execute(insert(_table(User)).values(owner | rights))


def _add_campaigns(connection: Connection, ids: range, now: datetime) -> None:
    campaign_id = _counted(ids)
    digits = cast(campaign_id, String)
    destination = literal("+1", String) + cast(campaign_id + _FIRST_DESTINATION, String)
    values = {
        "id": campaign_id,
        "name": literal("Spring campaign ", String) + digits,
        "external_id": literal("crm-", String) + digits,
        "group_id": _GROUP,
        "owner_id": _OWNER,
        "enabled": True,
        "starts_at": now - timedelta(days=30),
        "ends_at": now + timedelta(days=365),
        "end_of_campaign": EndOfCampaign.REFERRAL,
        "business_name": literal("Business No. ", String) + digits,
        "business_number": destination,
        "destination": destination,
        "revision": 1,
        "created_at": now,
        "updated_at": now,
    }
    _insert_each(connection, _table(Campaign), values)


def _add_numbers(connection: Connection, positions: range, now: datetime) -> None:
    position = _counted(positions)
    values = {
        "id": position + 1,
        "number": literal("+1", String) + cast(position + _FIRST_NUMBER, String),
        "campaign_id": position // NUMBERS_OF_A_CAMPAIGN + 1,
        "group_id": _GROUP,
        "name": "",
        "record_calls": False,
        "caller_id": CallerId.CALLER,
        "status": NumberStatus.ACTIVE,
        "carrier": "twilio",
        "revision": 1,
        "created_at": now,
        "updated_at": now,
    }
    _insert_each(connection, _table(TrackingNumber), values)


def _counted(numbers: range) -> ColumnElement[int]:
    """A column that takes each value of the range, made by the database itself."""
    first = select(literal(numbers.start, BigInteger).label("n")).cte("counted", recursive=True)
    every = first.union_all(select(first.c.n + 1).where(first.c.n < numbers.stop - 1))
    return every.c.n


def _insert_each(connection: Connection, table: Table, values: Mapping[str, object]) -> None:
    """Insert one row for each value of the counted column that `values` refer to."""
    columns = [
        value if isinstance(value, ColumnElement) else literal(value, table.c[name].type)
        for name, value in values.items()
    ]
    connection.execute(insert(table).from_select(list(values), select(*columns), include_defaults=False))


def _table(entity: type[Base]) -> Table:
    table: Table = entity.__table__  # type: ignore[assignment]  # declared as FromClause
    return table
