"""The breaker: opens after three failures, asks again in the background, closes when that goes well."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.breaker import Breaker, guarded
from tests.builders import a_breaker

PATIENCE = 10.0


class Store:
    """Answers, or raises, after so many seconds of a clock that moves by nothing else."""

    def __init__(self) -> None:
        self.now = 100.0
        self.takes = 0.0
        self.broken = False
        self.asked = 0

    def clock(self) -> float:
        return self.now

    def ask(self) -> str:
        self.asked += 1
        self.now += self.takes
        if self.broken:
            raise LookupError
        return "answer"


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def breaker(store: Store) -> Breaker:
    return a_breaker(store.ask, clock=store.clock, slow=0.5)


def trip(breaker: Breaker) -> None:
    for _ in range(3):
        breaker.failed()


def test_a_new_breaker_lets_everything_through(breaker: Breaker) -> None:
    assert not breaker.is_open
    assert all(breaker.allows() for _ in range(100))


def test_it_opens_at_the_third_failure_in_a_row(breaker: Breaker) -> None:
    found = []
    for _ in range(4):
        breaker.failed()
        found.append((breaker.is_open, breaker.allows()))
    assert found == [(False, True), (False, True), (True, False), (True, False)]


def test_a_success_in_between_starts_the_count_again(breaker: Breaker) -> None:
    for outcome in (breaker.failed, breaker.failed, breaker.succeeded, breaker.failed, breaker.failed):
        outcome()
    assert breaker.allows()
    breaker.failed()
    assert not breaker.allows()


def test_while_it_is_open_nobody_is_let_through_however_long_it_takes(breaker: Breaker, store: Store) -> None:
    trip(breaker)
    for _ in range(100):
        store.now += 60
        assert not breaker.allows()


def test_a_good_probe_closes_it(breaker: Breaker, store: Store) -> None:
    trip(breaker)
    assert breaker.probe()
    assert (store.asked, breaker.allows()) == (1, True)


def test_a_failed_probe_leaves_it_open(breaker: Breaker, store: Store) -> None:
    trip(breaker)
    store.broken = True
    assert not breaker.probe()
    assert not breaker.allows()


def test_a_closed_breaker_is_not_probed(breaker: Breaker, store: Store) -> None:
    assert breaker.probe()
    assert store.asked == 0


@pytest.mark.parametrize(("took", "closes"), [(0.49, True), (0.5, False), (0.51, False)])
def test_a_probe_that_is_answered_too_slowly_is_no_good_probe(
    breaker: Breaker, store: Store, took: float, *, closes: bool
) -> None:
    trip(breaker)
    store.takes = took
    assert breaker.probe() is closes


def test_one_prober_is_started_each_time_it_opens(store: Store) -> None:
    started: list[Callable[[], None]] = []
    breaker = a_breaker(store.ask, start=started.append)
    trip(breaker)
    trip(breaker)
    assert len(started) == 1
    assert breaker.probe()
    trip(breaker)
    assert len(started) == 2


def test_a_call_that_was_under_way_may_close_it_and_the_prober_ends(store: Store) -> None:
    started: list[Callable[[], None]] = []
    breaker = a_breaker(store.ask, start=started.append)
    trip(breaker)
    breaker.succeeded()
    assert breaker.allows()
    assert breaker.probe(), "the prober has nothing to do any more"
    trip(breaker)
    assert len(started) == 2


def test_a_thread_of_its_own_asks_until_an_answer_comes() -> None:
    closed = threading.Event()
    answers = iter([LookupError, LookupError, None])
    callers = {threading.current_thread()}

    def ask() -> None:
        assert threading.current_thread() not in callers
        if (error := next(answers)) is not None:
            raise error
        closed.set()

    breaker = Breaker(ask, cool_down=0.001)
    trip(breaker)
    assert closed.wait(PATIENCE)
    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(lambda: _until(breaker.allows)).result(PATIENCE)


def _until(condition: Callable[[], bool]) -> bool:
    pause = threading.Event()
    return any(condition() or pause.wait(0.01) for _ in range(1000))


def test_eight_threads_that_fail_at_once_open_it_and_start_one_prober(store: Store) -> None:
    ready = threading.Barrier(8)
    started: list[Callable[[], None]] = []
    breaker = a_breaker(store.ask, start=started.append)

    def fail(_thread: int) -> None:
        ready.wait()
        breaker.failed()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(fail, range(8)))
    assert not breaker.allows()
    assert len(started) == 1


@given(st.lists(st.sampled_from(["fail", "succeed", "probe", "bad probe"]), max_size=40))
def test_it_is_open_while_the_last_three_outcomes_are_failures(events: list[str]) -> None:
    store = Store()
    started: list[Callable[[], None]] = []
    breaker = a_breaker(store.ask, start=started.append)
    in_a_row, probing = 0, 0
    for event in events:
        store.broken = event == "bad probe"
        if event == "fail":
            breaker.failed()
            in_a_row += 1
            if in_a_row >= 3 and not probing:
                probing = 1
        elif event == "succeed":
            breaker.succeeded()
            in_a_row = 0
        elif probing:
            was_open = in_a_row >= 3
            in_a_row = in_a_row + 1 if was_open and store.broken else 0 if was_open else in_a_row
            assert breaker.probe() is not (in_a_row >= 3)
            probing = int(in_a_row >= 3)
        assert breaker.is_open == (in_a_row >= 3)
        assert not breaker.is_open or probing, "an open breaker always has a prober"


def test_what_is_guarded_is_asked_until_it_has_failed_three_times(breaker: Breaker, store: Store) -> None:
    store.broken = True
    ask = guarded(breaker, store.ask, LookupError)
    for _ in range(10):
        with pytest.raises(LookupError):
            ask()
    assert store.asked == 3


def test_what_is_guarded_answers_again_after_one_good_probe(breaker: Breaker, store: Store) -> None:
    ask = guarded(breaker, store.ask, LookupError)
    trip(breaker)
    with pytest.raises(LookupError):
        ask()
    assert breaker.probe()
    assert [ask(), ask()] == ["answer", "answer"]


@pytest.mark.parametrize(("took", "is_open"), [(0.49, False), (0.5, True), (0.51, True)])
def test_answers_that_come_too_slowly_are_used_and_count_as_failures(
    breaker: Breaker, store: Store, took: float, *, is_open: bool
) -> None:
    store.takes = took
    ask = guarded(breaker, store.ask, LookupError)
    assert [ask(), ask(), ask()] == ["answer"] * 3
    assert breaker.is_open is is_open
