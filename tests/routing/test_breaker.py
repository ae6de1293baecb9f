"""The breaker: opens after three failures, probes once per cool-down, closes when it goes well."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from routing.breaker import Breaker, guarded


class Clock:
    """Stands still until it is set."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker(threshold=3, cool_down=1.0, clock=clock)


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


def test_the_first_probe_comes_one_cool_down_after_the_last_failure(breaker: Breaker, clock: Clock) -> None:
    trip(breaker)
    found = []
    for second in (100.0, 100.999, 101.0, 101.001, 101.999, 102.0, 102.0):
        clock.seconds = second
        found.append(breaker.allows())
    assert found == [False, False, True, False, False, True, False]


def test_a_failed_probe_waits_another_cool_down(breaker: Breaker, clock: Clock) -> None:
    trip(breaker)
    clock.seconds = 101.0
    assert breaker.allows()
    clock.seconds = 101.25
    breaker.failed()
    found = []
    for second in (102.0, 102.249, 102.25, 102.26):
        clock.seconds = second
        found.append(breaker.allows())
    assert found == [False, False, True, False]


def test_a_good_probe_closes_it(breaker: Breaker, clock: Clock) -> None:
    trip(breaker)
    clock.seconds = 101.0
    assert breaker.allows()
    breaker.succeeded()
    assert not breaker.is_open
    assert all(breaker.allows() for _ in range(10))


def test_eight_threads_share_one_probe_per_cool_down(breaker: Breaker, clock: Clock) -> None:
    trip(breaker)
    ready = threading.Barrier(8)

    def ask(_thread: int) -> int:
        ready.wait()
        return sum(breaker.allows() for _ in range(200))

    with ThreadPoolExecutor(8) as pool:
        for second in range(101, 111):
            clock.seconds = float(second)
            assert sum(pool.map(ask, range(8))) == 1


def test_eight_threads_that_fail_at_once_open_it(breaker: Breaker) -> None:
    ready = threading.Barrier(8)

    def fail(_thread: int) -> None:
        ready.wait()
        breaker.failed()

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(fail, range(8)))
    assert breaker.is_open
    assert not breaker.allows()


@given(st.lists(st.tuples(st.sampled_from(["fail", "succeed", "ask"]), st.floats(0, 1.5)), max_size=40))
def test_while_open_at_most_one_question_passes_per_cool_down(events: list[tuple[str, float]]) -> None:
    clock = Clock()
    breaker = Breaker(3, 1.0, clock)
    in_a_row, last_passed = 0, float("-inf")
    for event, pause in events:
        clock.seconds += pause
        if event == "fail":
            breaker.failed()
            in_a_row += 1
            last_passed = clock.seconds
        elif event == "succeed":
            breaker.succeeded()
            in_a_row = 0
        elif breaker.allows() and in_a_row >= 3:
            assert clock.seconds - last_passed >= 1.0 - 1e-9
            last_passed = clock.seconds
        assert breaker.is_open == (in_a_row >= 3)


def test_what_is_guarded_is_asked_until_it_has_failed_three_times() -> None:
    asked: list[int] = []

    def fail(what: int) -> None:
        asked.append(what)
        raise LookupError

    ask = guarded(Breaker(3, 1.0, lambda: 0.0), fail, LookupError)
    for what in range(10):
        with pytest.raises(LookupError):
            ask(what)
    assert asked == [0, 1, 2]


def test_what_is_guarded_answers_again_after_one_good_probe() -> None:
    now = [0.0]
    broken = [True]

    def answer(what: int) -> int:
        if broken[0]:
            raise LookupError
        return what

    ask = guarded(Breaker(1, 1.0, lambda: now[0]), answer, LookupError)
    with pytest.raises(LookupError):
        ask(1)
    broken[0] = False
    with pytest.raises(LookupError):
        ask(2)
    now[0] = 1.0
    assert [ask(3), ask(4)] == [3, 4]


@pytest.mark.parametrize(("took", "is_open"), [(0.49, False), (0.5, True), (0.51, True)])
def test_answers_that_come_too_slowly_are_used_and_count_as_failures(took: float, *, is_open: bool) -> None:
    now = [0.0]

    def ask(what: str) -> str:
        now[0] += took
        return what

    breaker = Breaker(threshold=3, clock=lambda: now[0])
    asked = guarded(breaker, ask, LookupError, slow=0.5, clock=lambda: now[0])
    assert [asked("a"), asked("b"), asked("c")] == ["a", "b", "c"]
    assert breaker.is_open is is_open
