"""`hookswitch numbers release`: asks, rejects callers at once, gives back later, and can be undone."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Table, update

from models import call_log
from models.database import Database
from models.number_release import NumberRelease, ReleaseStep
from models.routes import route_of
from models.tracking_number import held_number
from routing.arrival import Arrival, Source
from routing.decision import Reason, Reject
from routing.numbers import PhoneNumber
from routing.policy import decide
from scripts.number_keeping import NumberKeeper
from scripts.number_market import open_numbers
from scripts.returning import return_due
from scripts.settings import environment, load
from tests.builders import TRACKING, a_campaign, a_number, an_inbound_call, route
from tests.scripts.conftest import Typed
from tests.scripts.installation import Installation
from tests.scripts.numbers_at_hand import held, index_differences
from tests.services.twilio_account import busy
from tests.services.twilio_numbers import Trouble, TwilioNumbersServer

DAY = timedelta(days=1)
RELEASES: Table = NumberRelease.__table__  # type: ignore[assignment]  # declared as FromClause


@pytest.fixture
def spare(installation: Installation, shop: TwilioNumbersServer) -> str:
    """A number of ours on a campaign that is over."""
    with installation.database.session() as session:
        over = a_campaign(
            session, ends_at=datetime.now(UTC) - 60 * DAY, starts_at=datetime.now(UTC) - 90 * DAY
        )
        sid = shop.own(TRACKING.e164)
        a_number(session, TRACKING, over, carrier_sid=sid, name="Old poster", ring_timeout=25)
    installation.rebuild_index()
    return TRACKING.e164


def rings(installation: Installation, ago: timedelta) -> None:
    at = datetime.now(UTC) - ago
    call = Arrival(an_inbound_call(received_at=at), route(), Source.INDEX)
    call_log.record(installation.database, [call], at, "1")


def steps(database: Database) -> list[ReleaseStep]:
    with database.reading() as session:
        return [release.step for release in session.query(NumberRelease).order_by(NumberRelease.id)]


def time_passes(installation: Installation) -> None:
    with installation.database.session() as session:
        session.execute(update(RELEASES).values(due_at=datetime.now(UTC) - DAY))


def returns(installation: Installation) -> int:
    """What the worker does once a minute."""
    settings = load(environment())
    return return_due(installation.database, lambda: open_numbers(settings), datetime.now(UTC))


def test_it_shows_the_last_call_and_does_nothing_without_apply(
    installation: Installation, shop: TwilioNumbersServer, typed: Typed, spare: str
) -> None:
    rings(installation, 40 * DAY)
    rings(installation, 41 * DAY)
    told = typed("numbers", "release", spare)
    assert told.status == 0
    day = (datetime.now(UTC) - 40 * DAY).date().isoformat()
    assert f"last dialled {day}" in told.out
    assert "2 calls by 1 callers in 90 days" in told.out
    assert list(held(installation)) == [spare]
    assert shop.writes == []


def test_a_number_that_is_still_called_stays_unless_told_otherwise(
    installation: Installation, typed: Typed, spare: str
) -> None:
    rings(installation, 29 * DAY)
    told = typed("numbers", "release", spare, "--apply", "--yes")
    assert told.status == 1
    assert "it was dialled in the last 30 days" in told.out
    assert "add --even-in-use" in told.err
    assert list(held(installation)) == [spare]
    assert typed("numbers", "release", spare, "--apply", "--yes", "--even-in-use").status == 0
    assert held(installation) == {}


def test_a_number_of_a_live_campaign_stays(
    installation: Installation, shop: TwilioNumbersServer, typed: Typed
) -> None:
    with installation.database.session() as session:
        campaign = a_campaign(session)
        a_number(session, TRACKING, campaign)
    told = typed("numbers", "release", TRACKING.e164, "--apply", "--yes")
    assert told.status == 1
    assert f"its campaign {campaign.id} is live" in told.out


def test_it_asks(
    installation: Installation, typed: Typed, spare: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _prompt: "n")
    assert typed("numbers", "release", spare, "--apply").status == 130
    assert list(held(installation)) == [spare]
    monkeypatch.setattr("click.termui.visible_prompt_func", lambda _prompt: "y")
    assert typed("numbers", "release", spare, "--apply").status == 0
    assert held(installation) == {}


def test_callers_are_rejected_for_some_days_before_the_carrier_gets_it_back(
    installation: Installation, shop: TwilioNumbersServer, typed: Typed, spare: str
) -> None:
    told = typed("numbers", "release", spare, "--days", "10", "--apply", "--yes")
    assert told.status == 0
    assert (datetime.now(UTC) + 10 * DAY).date().isoformat() in told.out
    with installation.database.reading() as session:
        assert decide(route_of(session, TRACKING), datetime.now(UTC)) == Reject(Reason.RELEASED)
    assert index_differences(installation) == []
    assert (returns(installation), shop.numbers) == (0, [spare])
    time_passes(installation)
    assert (returns(installation), shop.numbers) == (1, [])
    assert steps(installation.database) == [ReleaseStep.RETURNED]
    assert returns(installation) == 0


def test_a_release_that_was_interrupted_is_finished_by_the_next_round(
    installation: Installation, shop: TwilioNumbersServer, typed: Typed, spare: str
) -> None:
    typed("numbers", "release", spare, "--apply", "--yes")
    time_passes(installation)
    shop.troubles.append(Trouble("DELETE", "", busy(503), after=True))
    with pytest.raises(Exception, match="answers 503"):
        returns(installation)
    assert (steps(installation.database), shop.numbers) == ([ReleaseStep.RETURNING], [])
    assert returns(installation) == 1
    assert steps(installation.database) == [ReleaseStep.RETURNED]


def test_a_number_that_is_held_again_is_not_given_back(
    installation: Installation, shop: TwilioNumbersServer, typed: Typed, spare: str
) -> None:
    typed("numbers", "release", spare, "--apply", "--yes")
    with installation.database.session() as session:
        a_number(session, TRACKING)
    time_passes(installation)
    assert (returns(installation), shop.numbers) == (0, [spare])
    assert steps(installation.database) == [ReleaseStep.UNDONE]


def test_undo_in_quarantine_brings_everything_back(
    installation: Installation, shop: TwilioNumbersServer, typed: Typed, spare: str
) -> None:
    before = held(installation)[spare]
    typed("numbers", "release", spare, "--apply", "--yes")
    assert "would have" in typed("numbers", "release", spare, "--undo").out
    assert held(installation) == {}
    told = typed("numbers", "release", spare, "--undo", "--apply")
    assert told.status == 0
    after = held(installation)[spare]
    kept = ("campaign_id", "group_id", "name", "ring_timeout", "carrier_sid")
    assert [getattr(after, name) for name in kept] == [getattr(before, name) for name in kept]
    assert index_differences(installation) == []
    time_passes(installation)
    assert (returns(installation), shop.numbers) == (0, [spare])
    assert "not on its way back" in typed("numbers", "release", spare, "--undo", "--apply").complaint


def test_undo_after_that_buys_it_back_while_the_carrier_has_it(
    installation: Installation, shop: TwilioNumbersServer, typed: Typed, spare: str
) -> None:
    told = typed("numbers", "release", spare, "--days", "0", "--apply", "--yes")
    assert (told.status, shop.numbers) == (0, [])
    assert typed("numbers", "release", spare, "--undo", "--apply").status == 0
    assert (shop.bought, shop.numbers, list(held(installation))) == ([spare], [spare], [spare])
    assert held(installation)[spare].name == "Old poster"
    assert steps(installation.database) == [ReleaseStep.UNDONE]


def test_undo_says_when_it_is_too_late(
    installation: Installation, shop: TwilioNumbersServer, typed: Typed, spare: str
) -> None:
    typed("numbers", "release", spare, "--days", "0", "--apply", "--yes")
    shop.gone.add(spare)
    told = typed("numbers", "release", spare, "--undo", "--apply")
    assert told.status == 1
    assert "somebody else was faster" in told.err


def test_the_worker_gives_back_and_settles_what_was_left(
    installation: Installation, shop: TwilioNumbersServer, typed: Typed, spare: str
) -> None:
    typed("numbers", "release", spare, "--apply", "--yes")
    time_passes(installation)
    keeper = NumberKeeper(load(environment()), installation.database, publish=lambda: None)
    keeper.keep()
    assert shop.numbers == []
    assert held_of(installation, TRACKING) is None
    asked = len(shop.requests)
    keeper.keep()  # not before a minute has passed
    assert len(shop.requests) == asked


def held_of(installation: Installation, number: PhoneNumber) -> object:
    with installation.database.reading() as session:
        return held_number(session, number)
