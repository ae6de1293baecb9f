"""Garbage collection fit for processes that serve for long."""

import gc


def collect_seldom() -> None:
    """Leave what was loaded for good out of garbage collection, and collect less often.

    Requests and journal entries make no circles worth looking for after every 700 objects, which is
    Python's default.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 50, 50)
