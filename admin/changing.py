"""One change to one row: which revision it is based on, and the database's refusals in our words."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from admin.errors import FieldError, Invalid, Stale
from routing.destinations import UnfitDestination


class Revised(Protocol):
    """A row that counts its writes."""

    revision: int


def check_revision(row: Revised, revision: int | None) -> None:
    """Raise `Stale` if the caller has read another revision than the one in force; None: he did not say."""
    if revision is not None and revision != row.revision:
        raise Stale(row.revision)


@contextmanager
def changing(session: Session, row: Revised) -> Iterator[None]:
    """Make changes to `row` and write them: all of them or, with a refusal, none.

    Raises `Stale` where another transaction was faster, `Invalid` for a destination not to be dialled.
    """
    try:
        with session.begin_nested():
            yield
            session.flush()
    except StaleDataError:
        session.refresh(row)
        raise Stale(row.revision) from None
    except UnfitDestination as error:
        raise Invalid(FieldError("destination", str(error))) from None
