"""The call log as a test reads it."""

from sqlalchemy.orm import Session

from models.base import Row
from models.call_rows import exported


def log_rows(session: Session) -> list[Row]:
    """All calls, in the order in which they were logged, by column names; phone numbers as text."""
    return [dict(row._mapping) for rows in exported(session) for row in rows]
