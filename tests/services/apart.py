"""Work in a thread of its own: an event loop cannot run where playwright's is running already."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from webhooks.outgoing.courier import Courier

T = TypeVar("T")


def apart(work: Callable[[], T]) -> T:
    """Do it in a new thread, wait, and return or raise what comes of it."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(work).result()


class CourierApart(Courier):
    """As the worker has it: never in the main thread."""

    def work(self, seconds: float = 0.05) -> int:
        whole = super().work
        return apart(lambda: whole(seconds))

    def finish(self, patience: float = 0.0) -> None:
        whole = super().finish
        apart(lambda: whole(patience))
