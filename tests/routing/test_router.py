"""The router: from every state of the stores the right answer, written down exactly once."""

from dataclasses import dataclass, field

import pytest
import redis
from hypothesis import given
from hypothesis import strategies as st
from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    ClusterDownError,
    InvalidResponse,
    MaxConnectionsError,
    NoPermissionError,
    NoScriptError,
    OutOfMemoryError,
    ReadOnlyError,
)
from structlog.testing import capture_logs

from routing.arrival import Arrival, FactsUnavailable, Source
from routing.blocks import patterns_of
from routing.breaker import Breaker
from routing.call import InboundCall
from routing.decision import Apologise, Connect, Reason, Refer, Reject
from routing.index.lookup import Miss
from routing.numbers import PhoneNumber
from routing.recorder import Happening, Recorder
from routing.route import Route
from routing.router import Router
from tests.builders import a_breaker
from tests.routing.facts import CALLER, TRACKING, a_call, a_route

ROUTE = a_route()
GONE = [
    redis.ConnectionError("refused"),
    redis.TimeoutError("late"),
    BusyLoadingError("loading"),
    AuthenticationError("who?"),
    MaxConnectionsError("too many"),
    InvalidResponse("noise"),
]
REFUSING = [
    ReadOnlyError("demoted"),
    OutOfMemoryError("full"),
    ClusterDownError("no quorum"),
    NoScriptError("forgotten"),
    NoPermissionError("not allowed"),
    redis.ResponseError("WRONGTYPE"),
]
DOWN = FactsUnavailable("the database is down")
Outcome = Route | Miss | redis.RedisError


@dataclass
class Stores:
    """An index, a journal and a database that do what they are told and count what is asked of them."""

    arriving: Outcome = field(default_factory=lambda: ROUTE)
    looking_up: Outcome = Miss.NO_INDEX
    appending: redis.RedisError | None = None
    loading: Route | FactsUnavailable | None = None
    recording: FactsUnavailable | None = None
    snapshot: Route | FactsUnavailable | None = field(default_factory=lambda: FactsUnavailable("none"))
    spooling: OSError | None = None
    asked: list[str] = field(default_factory=list)
    fitting: set[tuple[str, ...]] = field(default_factory=set)
    written: list[tuple[str, Arrival]] = field(default_factory=list)
    counted: list[str] = field(default_factory=list)

    def arrive(self, call: InboundCall, dialled: PhoneNumber) -> Route | Miss:
        assert dialled == call.dialled
        self.asked.append("arrive")
        found = _told(self.arriving)
        if isinstance(found, Route):
            self.written.append(("index", Arrival(call, found, Source.INDEX)))
        return found

    def route_of(self, _number: PhoneNumber, patterns: tuple[str, ...] = ()) -> Route | Miss:
        self.fitting.add(patterns)
        self.asked.append("route_of")
        return _told(self.looking_up)

    def append(self, happening: Happening) -> None:
        assert isinstance(happening, Arrival)
        self.asked.append("append")
        if self.appending:
            raise self.appending
        self.written.append(("journal", happening))

    def load(self, _number: PhoneNumber, patterns: tuple[str, ...]) -> Route | None:
        self.fitting.add(patterns)
        self.asked.append("load")
        if isinstance(self.loading, FactsUnavailable):
            raise self.loading
        return self.loading

    def record(self, happening: Happening) -> None:
        assert isinstance(happening, Arrival)
        self.asked.append("record")
        if self.recording:
            raise self.recording
        self.written.append(("database", happening))

    def last_known(self, _number: PhoneNumber, patterns: tuple[str, ...]) -> Route | None:
        self.fitting.add(patterns)
        self.asked.append("last_known")
        if isinstance(self.snapshot, FactsUnavailable):
            raise self.snapshot
        return self.snapshot

    def spool(self, happening: Happening) -> None:
        assert isinstance(happening, Arrival)
        if self.spooling:
            raise self.spooling
        self.written.append(("spool", happening))

    def break_database(self) -> "Stores":
        self.loading = self.recording = DOWN
        return self

    def router(self, breaker: Breaker | None = None) -> Router:
        breaker, count = breaker or a_breaker(), self.counted.append
        recorder = Recorder(journal=self, record=self.record, spool=self.spool, breaker=breaker, count=count)
        return Router(
            index=self,
            recorder=recorder,
            load=self.load,
            last_known=self.last_known,
            breaker=breaker,
            count=count,
        )


def _told(outcome: Outcome) -> Route | Miss:
    if isinstance(outcome, redis.RedisError):
        raise outcome
    return outcome


def by_name(value: object) -> str:
    return value.value if isinstance(value, Miss) else type(value).__name__


def test_a_listed_number_costs_one_question_and_is_journaled_by_it() -> None:
    stores = Stores()
    arrival = stores.router().route(a_call())
    assert arrival == Arrival(a_call(), ROUTE, Source.INDEX)
    assert isinstance(arrival.decision, Connect)
    assert stores.asked == ["arrive"]
    assert stores.written == [("index", arrival)]
    assert stores.counted == []


@pytest.mark.parametrize("miss", Miss)
def test_what_the_index_misses_the_database_knows(miss: Miss) -> None:
    stores = Stores(arriving=miss, loading=ROUTE)
    arrival = stores.router().route(a_call())
    assert arrival == Arrival(a_call(), ROUTE, Source.DATABASE)
    assert stores.asked == ["arrive", "load", "append"]
    assert stores.written == [("journal", arrival)]
    assert stores.counted == [f"index_{miss}"]


@pytest.mark.parametrize("miss", Miss)
def test_a_number_that_the_database_does_not_know_is_rejected(miss: Miss) -> None:
    stores = Stores(arriving=miss)
    arrival = stores.router().route(a_call())
    assert arrival.decision == Reject(Reason.UNKNOWN_NUMBER)
    assert stores.written == [("journal", Arrival(a_call(), None, Source.DATABASE))]


def test_a_whole_index_that_does_not_list_the_number_is_enough_to_reject() -> None:
    stores = Stores(arriving=Miss.NOT_LISTED).break_database()
    arrival = stores.router().route(a_call())
    assert arrival == Arrival(a_call(), None, Source.INDEX)
    assert arrival.decision == Reject(Reason.UNKNOWN_NUMBER)
    assert stores.written == [("journal", arrival)]


@pytest.mark.parametrize("miss", [Miss.NO_INDEX, Miss.INCOMPLETE, Miss.UNREADABLE])
def test_without_facts_the_caller_hears_an_apology(miss: Miss) -> None:
    stores = Stores(arriving=miss).break_database()
    arrival = stores.router().route(a_call())
    assert arrival.decision == Apologise(Reason.UNAVAILABLE)
    assert stores.written == [("journal", Arrival(a_call(), None, Source.NONE))]
    assert "database_unreachable" in stores.counted


@pytest.mark.parametrize("error", GONE, ids=by_name)
def test_without_redis_the_database_routes_and_logs(error: redis.RedisError) -> None:
    stores = Stores(arriving=error, loading=ROUTE)
    arrival = stores.router().route(a_call())
    assert arrival == Arrival(a_call(), ROUTE, Source.DATABASE)
    assert stores.asked == ["arrive", "load", "record"], "a store that is gone is asked once"
    assert stores.written == [("database", arrival)]
    assert "index_unreachable" in stores.counted


@pytest.mark.parametrize("error", [*GONE, *REFUSING], ids=by_name)
def test_without_redis_and_database_the_caller_hears_an_apology(error: redis.RedisError) -> None:
    stores = Stores(arriving=error, looking_up=error).break_database()
    arrival = stores.router().route(a_call())
    assert arrival == Arrival(a_call(), None, Source.NONE)
    assert arrival.decision == Apologise(Reason.UNAVAILABLE)
    assert stores.written == [("spool", arrival)]
    assert "call_spooled" in stores.counted


def test_a_call_that_nothing_takes_is_counted_and_told_loudly() -> None:
    stores = Stores(arriving=redis.TimeoutError("late"), spooling=OSError("disk full")).break_database()
    with capture_logs() as logs:
        arrival = stores.router().route(a_call())
    assert arrival.decision == Apologise(Reason.UNAVAILABLE)
    assert "call_not_logged" in stores.counted
    assert [line["log_level"] for line in logs if line["event"] == "call.not_logged"] == ["critical"]


@pytest.mark.parametrize("error", REFUSING, ids=by_name)
def test_a_server_that_only_refuses_to_write_still_gives_its_facts(error: redis.RedisError) -> None:
    stores = Stores(arriving=error, looking_up=ROUTE)
    arrival = stores.router().route(a_call())
    assert arrival == Arrival(a_call(), ROUTE, Source.INDEX)
    assert stores.asked == ["arrive", "route_of", "record"]
    assert stores.written == [("database", arrival)]


def test_a_read_only_server_still_gives_its_facts_when_the_database_is_down() -> None:
    stores = Stores(arriving=ReadOnlyError("demoted"), looking_up=ROUTE).break_database()
    arrival = stores.router().route(a_call())
    assert isinstance(arrival.decision, Connect)
    assert stores.written == [("spool", arrival)]


@pytest.mark.parametrize("error", GONE, ids=by_name)
def test_without_redis_and_database_the_last_known_copy_routes(error: redis.RedisError) -> None:
    stores = Stores(arriving=error, snapshot=ROUTE).break_database()
    arrival = stores.router().route(a_call())
    assert arrival == Arrival(a_call(), ROUTE, Source.SNAPSHOT)
    assert isinstance(arrival.decision, Connect)
    assert stores.written == [("spool", arrival)]


def test_a_number_that_the_last_known_copy_lacks_is_no_reason_to_reject() -> None:
    stores = Stores(arriving=redis.TimeoutError("late"), snapshot=None).break_database()
    assert stores.router().route(a_call()).decision == Apologise(Reason.UNAVAILABLE)


@pytest.mark.parametrize("caller", [CALLER, None])
def test_whoever_is_asked_instead_of_the_index_is_told_who_rings(caller: PhoneNumber | None) -> None:
    fitting = patterns_of(caller)
    late = Stores(arriving=redis.TimeoutError("late"), snapshot=ROUTE).break_database()
    late.router().route(a_call(caller=caller))
    assert (late.asked.count("load"), late.asked.count("last_known"), late.fitting) == (1, 1, {fitting})
    refusing = Stores(arriving=redis.ResponseError("READONLY"), looking_up=ROUTE)
    refusing.router().route(a_call(caller=caller))
    assert refusing.fitting == {fitting}


def test_a_number_is_found_for_nobody_in_particular() -> None:
    stores = Stores(looking_up=Miss.NO_INDEX, loading=DOWN, snapshot=ROUTE)
    assert stores.router().find(TRACKING) == ROUTE
    assert stores.fitting == {()}


def test_the_database_comes_before_the_last_known_copy() -> None:
    stores = Stores(arriving=redis.TimeoutError("late"), loading=ROUTE, snapshot=None)
    assert stores.router().route(a_call()).source is Source.DATABASE
    assert "last_known" not in stores.asked


@pytest.mark.parametrize(
    ("found", "loading", "snapshot", "answer"),
    [
        (ROUTE, None, None, ROUTE),
        (Miss.NOT_LISTED, ROUTE, None, ROUTE),
        (redis.TimeoutError("late"), ROUTE, None, ROUTE),
        (redis.TimeoutError("late"), DOWN, ROUTE, ROUTE),
        (redis.TimeoutError("late"), DOWN, DOWN, None),
    ],
)
def test_facts_are_found_without_a_call_wherever_they_are(
    found: Outcome,
    loading: Route | FactsUnavailable | None,
    snapshot: Route | FactsUnavailable | None,
    answer: Route | None,
) -> None:
    stores = Stores(looking_up=found, loading=loading, snapshot=snapshot)
    assert stores.router().find(TRACKING) == answer
    assert stores.written == []


@pytest.mark.parametrize("second", [*GONE, *REFUSING, *Miss], ids=by_name)
def test_a_refusing_server_without_the_facts_leaves_it_to_the_database(second: Outcome) -> None:
    stores = Stores(arriving=ReadOnlyError("demoted"), looking_up=second, loading=ROUTE)
    arrival = stores.router().route(a_call())
    assert arrival == Arrival(a_call(), ROUTE, Source.DATABASE)
    assert stores.asked == ["arrive", "route_of", "load", "record"]
    assert stores.written == [("database", arrival)]


def test_a_read_only_index_that_does_not_list_the_number_is_enough_to_reject() -> None:
    stores = Stores(arriving=ReadOnlyError("demoted"), looking_up=Miss.NOT_LISTED).break_database()
    assert stores.router().route(a_call()).decision == Reject(Reason.UNKNOWN_NUMBER)


@pytest.mark.parametrize("error", [*GONE, *REFUSING], ids=by_name)
def test_a_call_that_cannot_be_journaled_is_written_to_the_database(error: redis.RedisError) -> None:
    stores = Stores(arriving=Miss.NO_INDEX, loading=ROUTE, appending=error)
    arrival = stores.router().route(a_call())
    assert arrival == Arrival(a_call(), ROUTE, Source.DATABASE)
    assert stores.written == [("database", arrival)]


def test_what_is_no_phone_number_is_rejected_without_asking_and_still_journaled() -> None:
    call = a_call(None, dialled_text="sip:joe@example.com")
    stores = Stores().break_database()
    arrival = stores.router().route(call)
    assert arrival == Arrival(call, None, Source.REQUEST)
    assert arrival.decision == Reject(Reason.UNKNOWN_NUMBER)
    assert stores.written == [("journal", arrival)]
    assert stores.asked == ["append"]


def test_what_is_no_phone_number_is_logged_by_the_database_without_redis() -> None:
    stores = Stores(appending=redis.ConnectionError("refused"))
    arrival = stores.router().route(a_call(None))
    assert stores.written == [("database", arrival)]
    assert arrival.source is Source.REQUEST


@pytest.mark.parametrize("error", GONE, ids=by_name)
def test_after_three_failures_redis_is_left_alone_until_a_probe_succeeds(error: redis.RedisError) -> None:
    stores = Stores(arriving=error, looking_up=error, loading=ROUTE)
    breaker = a_breaker(lambda: stores.route_of(TRACKING))
    router = stores.router(breaker)
    for _ in range(10):
        assert router.route(a_call()).source is Source.DATABASE
    assert stores.asked.count("arrive") == 3
    assert [where for where, _ in stores.written] == ["database"] * 10
    assert not breaker.probe()
    assert router.route(a_call()).source is Source.DATABASE
    stores.arriving = stores.looking_up = ROUTE
    assert breaker.probe()
    assert [router.route(a_call()).source for _ in range(5)] == [Source.INDEX] * 5
    assert len(stores.written) == 16


def test_an_open_breaker_spares_the_journal_too() -> None:
    stores = Stores(arriving=redis.TimeoutError("late"), loading=ROUTE)
    router = stores.router()
    for _ in range(3):
        router.route(a_call())
    stores.asked.clear()
    router.route(a_call())
    router.route(a_call(None))
    assert stores.asked == ["load", "record", "record"]


def test_a_journal_that_is_gone_opens_the_breaker_as_well() -> None:
    stores = Stores(appending=redis.TimeoutError("late"))
    router = stores.router()
    for _ in range(6):
        router.route(a_call(None))
    assert stores.asked.count("append") == 3
    assert stores.asked.count("record") == 6


@pytest.mark.parametrize("error", REFUSING, ids=by_name)
def test_a_refusal_does_not_trip_the_breaker(error: redis.RedisError) -> None:
    stores = Stores(arriving=error, looking_up=ROUTE)
    breaker = a_breaker()
    router = stores.router(breaker)
    for _ in range(10):
        assert router.route(a_call()).source is Source.INDEX
    assert not breaker.is_open


def test_a_server_that_comes_back_read_only_serves_its_facts_to_every_call() -> None:
    stores = Stores(arriving=redis.ConnectionError("refused"), looking_up=ROUTE).break_database()
    breaker = a_breaker(lambda: stores.route_of(TRACKING))
    router = stores.router(breaker)
    for _ in range(3):
        router.route(a_call())
    stores.arriving = ReadOnlyError("demoted")
    assert breaker.probe()
    assert [router.route(a_call()).source for _ in range(5)] == [Source.INDEX] * 5


outcomes = st.sampled_from([ROUTE, *Miss, *GONE, *REFUSING])
failures = st.sampled_from([None, None, *GONE, *REFUSING])
loaded = st.sampled_from([ROUTE, a_route(enabled=False), None, DOWN])


@given(
    arriving=outcomes,
    looking_up=outcomes,
    appending=failures,
    loading=loaded,
    recording=st.sampled_from([None, DOWN]),
    dialled=st.sampled_from([TRACKING, None]),
    failed_before=st.integers(0, 4),
)
def test_whatever_the_stores_do_the_call_is_answered_and_written_down_once(
    *,
    arriving: Outcome,
    looking_up: Outcome,
    appending: redis.RedisError | None,
    loading: Route | FactsUnavailable | None,
    recording: FactsUnavailable | None,
    dialled: PhoneNumber | None,
    failed_before: int,
) -> None:
    stores = Stores(arriving, looking_up, appending, loading, recording)
    breaker = a_breaker()
    for _ in range(failed_before):
        breaker.failed()
    with capture_logs() as logs:
        arrival = stores.router(breaker).route(a_call(dialled))
    decision = arrival.decision
    assert isinstance(decision, Connect | Refer | Reject | Apologise)

    assert [written for _, written in stores.written] in ([arrival], [])
    if not stores.written:
        assert recording is DOWN, "a call may go unlogged only when no store takes it"
        assert "call_not_logged" in stores.counted

    asked_index = dialled is not None and failed_before < 3
    answers = [arriving] if asked_index else []
    if isinstance(arriving, redis.ResponseError) and asked_index:
        answers.append(looking_up)
    known = any(isinstance(answer, Route) for answer in answers) or not isinstance(loading, FactsUnavailable)
    if isinstance(decision, Reject) and dialled is not None:
        assert known or Miss.NOT_LISTED in answers, "an unknown state is never a rejection"
    if dialled is not None and not known and Miss.NOT_LISTED not in answers:
        assert decision == Apologise(Reason.UNAVAILABLE)
    if not known:
        assert arrival.route is None

    for number in (TRACKING, CALLER):
        assert number.digits not in repr(logs)


def test_a_router_that_counts_nothing_routes_all_the_same() -> None:
    stores = Stores(arriving=redis.TimeoutError("late"), loading=ROUTE)
    breaker = a_breaker()
    recorder = Recorder(journal=stores, record=stores.record, spool=stores.spool, breaker=breaker)
    silent = Router(
        index=stores, recorder=recorder, load=stores.load, last_known=stores.last_known, breaker=breaker
    ).route
    assert silent(a_call()).route == ROUTE
