"""A log of calls of every kind, for reports to count."""

import random
from datetime import UTC, datetime, timedelta
from typing import Any

from models.call import Call
from tests.admin.office import Office
from tests.builders import a_phone

BEGAN = datetime(2026, 3, 20, tzinfo=UTC)
"""Clocks in Berlin are put forward on the 29th."""
DAYS = 20
_FATES: tuple[tuple[str | None, str | None, dict[str, Any]], ...] = (
    ("connect", "live", {"answered_at": BEGAN}),
    ("connect", "live", {"disposition": "no-answer"}),
    ("connect", "live", {}),
    ("referral", "referral", {}),
    ("reject", "ended", {}),
    ("reject", "released", {}),
    ("apology", "unavailable", {}),
    (None, None, {"ended_at": BEGAN}),
)
_REGIONS = (("US", "CA"), ("US", "NV"), ("GB", None), (None, None))


def write_history(office: Office, count: int, seed: int = 7) -> None:
    """Log so many calls, spread over days, hours, groups, campaigns, numbers, regions, callers and fates."""
    dice = random.Random(seed)  # noqa: S311 - the same each time
    groups: list[int | None] = [office.root, office.north, office.branch, office.south, None]
    campaigns = {group: office.campaign(office.ada, group_id=group) for group in groups if group is not None}
    numbers = {group: [a_phone(), a_phone()] for group in groups}
    for held_by, campaign in campaigns.items():
        for number in numbers[held_by]:
            office.number(office.ada, number.e164, campaign, name=f"Number {number.e164[-3:]}")
    callers = [a_phone() for _ in range(count // 4)]
    with office.database.session() as session:
        for serial in range(count):
            group = dice.choice(groups)
            decision, reason, ending = dice.choice(_FATES)
            country, state = dice.choice(_REGIONS)
            at = BEGAN + timedelta(seconds=dice.randrange(DAYS * 86_400))
            session.add(
                Call(
                    carrier="twilio",
                    call_sid=f"CA{serial:032x}",
                    group_id=group,
                    campaign_id=None if group is None or dice.random() < 0.1 else campaigns[group],
                    tracking_number=dice.choice(numbers[group]),
                    caller=None if dice.random() < 0.1 else dice.choice(callers),
                    caller_country=country,
                    caller_state=state,
                    decision=decision,
                    reason=reason,
                    started_at=at,
                    created_at=at,
                    **ending,
                )
            )
