"""Operators never take all threads of a process."""

import threading
import time

import pytest

from admin.room import NoRoom, Room


def test_two_are_served_one_waits_and_the_next_is_sent_away() -> None:
    room = Room(places=2, waiting=1, patience=10.0)
    served: list[str] = []
    leave = threading.Event()

    def stay(name: str) -> None:
        with room.place():
            served.append(name)
            leave.wait(10)

    threads = [threading.Thread(target=stay, args=(name,)) for name in ("first", "second", "third")]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + 10
    while len(served) < 2 or room._inside._value > 0:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    with pytest.raises(NoRoom), room.place():
        pass
    leave.set()
    for thread in threads:
        thread.join(10)
    assert sorted(served) == ["first", "second", "third"]
    with room.place():
        pass


def test_who_waits_in_vain_is_sent_away_and_leaves_no_trace() -> None:
    room = Room(places=1, waiting=1, patience=0.01)
    with room.place():
        for _ in range(3):
            with pytest.raises(NoRoom), room.place():
                pass
    with room.place():
        pass


def test_a_failure_inside_gives_the_place_back() -> None:
    room = Room(places=1, waiting=0)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), room.place():
            _ = 1 / 0
