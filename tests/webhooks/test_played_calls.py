"""What `hookswitch call --status` plays is a whole call: each outcome ends in its row."""

from urllib.parse import urlencode

import pytest

from models.call import recent
from routing.numbers import PhoneNumber
from scripts.call_reports import OUTCOMES, reports
from tests.builders import BUSINESS, NOW, a_campaign, a_number
from tests.webhooks.switchboard import Switchboard, a_call

DIALLED = "+15005550100"


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_each_outcome_that_is_played_ends_in_its_row(switchboard: Switchboard, outcome: str) -> None:
    with switchboard.database.session() as session:
        a_number(session, PhoneNumber(DIALLED), a_campaign(session))
    switchboard.rebuild_index()
    call = a_call(DIALLED)
    switchboard.ring(DIALLED, at=NOW, **call)
    for event, form in reports(call, BUSINESS.e164, outcome, NOW):
        answer = switchboard.post(f"/webhooks/twilio/{event}", urlencode(form))
        assert answer.status_code == (200 if event == "dial" else 204)
    switchboard.drain()
    with switchboard.database.reading() as session:
        (row,) = recent(session, 9)
    assert (row.disposition, row.ring_seconds) == (outcome, 6)
    assert row.talk_seconds == (42 if outcome == "completed" else None)
    assert row.duration_seconds == (48 if outcome == "completed" else 6)
    assert row.ended_at is not None
