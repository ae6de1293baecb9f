"""The desk at which edits are made: one transaction each, then into the campaign index at once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from admin.access.actor import Actor
from models.auditing import SYSTEM, Author
from models.database import Database

log = structlog.get_logger()


class Desk:
    """Opens transactions for use cases. Raises what the database raises.

    `publish` carries committed edits to the campaign index and raises what it likes: whatever it
    leaves undone the worker does, a moment later.
    """

    def __init__(
        self, database: Database, clock: Callable[[], datetime], publish: Callable[[], object]
    ) -> None:
        self._database = database
        self._publish = publish
        self.clock = clock

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """One snapshot of everything."""
        with self._database.reading() as session:
            yield session

    @contextmanager
    def noting(self, author: Author = SYSTEM) -> Iterator[Session]:
        """One transaction about access itself (sessions, failures, last uses); nothing to publish."""
        with self._database.session(author) as session:
            yield session

    @contextmanager
    def writing(self, actor: Actor) -> Iterator[Session]:
        """One transaction in the actor's name, committed at the end, and published."""
        with self._database.session(actor.author) as session:
            yield session
        try:
            self._publish()
        except (SQLAlchemyError, OSError) as error:
            log.warning("edit.not_published_yet", error=type(error).__name__)
