"""Calls in the log, as reports may meet them."""

from sqlalchemy.orm import Session

from models.call import Call
from tests.builders import NOW, a_group, a_phone


def logged(session: Session, decision: str | None = "connect", **said: object) -> Call:
    """Log a call; of a new group unless `group_id` is given."""
    plain: dict[str, object] = {
        "carrier": "twilio",
        "call_sid": f"CA{a_phone().e164[1:]:0>32}",
        "decision": decision,
        "started_at": NOW,
        "created_at": NOW,
    }
    if "group_id" not in said:
        plain["group_id"] = a_group(session).id
    call = Call(**(plain | said))
    session.add(call)
    session.flush()
    return call
