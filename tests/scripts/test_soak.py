"""A short soak on real servers ends without a violation."""

from scripts.soak.faults import Pace
from scripts.soak.invariants import Breach
from scripts.soak.premises import premises
from scripts.soak.run import Plan, soak
from tests.services.postgres import Databases

HURRIED = Pace(fault=(0.6, 1.0), calm=(0.4, 0.6))
QUICK_FAULTS = ("refuse on Redis", "cut on SQL", "reset on both", "kill a worker", "kill a web process")


def test_a_short_soak_loses_no_call_and_answers_each_rightly(postgres_server: Databases) -> None:
    with premises(postgres_server.url) as opened:
        result = soak(opened, Plan(seconds=5, rate=25, seed=7, pace=HURRIED, wanted=QUICK_FAULTS))
    # How quick it is says as much of the machine that tests run on.
    assert [one for one in result.violations if one.breach is not Breach.TOO_LATE] == []
    # A slow machine gets through fewer of them.
    assert len({name for name, served in result.faults.items() if served.times} & set(QUICK_FAULTS)) > 1
    assert result.calls > 50
    assert result.reports > result.calls
    assert result.edits > 0
    assert sum(result.sources.values()) == result.calls
    assert len(result.sources) > 1
