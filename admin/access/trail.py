"""What signing in leaves behind: a line in the log and an entry in the audit trail, never a secret.

What people type as their address is not logged either: now and then it is their password.
"""

from datetime import datetime

import structlog
from sqlalchemy.orm import Session

from models.audit import AuditEntry
from models.auditing import Author
from models.user import User

log = structlog.get_logger()


def note(
    session: Session, author: Author, user: User, what: str, *, at: datetime, value: str | None = None
) -> None:
    """Add an entry about a user that is no change of a column, such as `signed_in`."""
    session.add(
        AuditEntry(
            at=at,
            user_id=author.user_id,
            via=author.via,
            entity="user",
            entity_id=user.id,
            group_id=user.group_id,
            field=what,
            new=value,
        )
    )
