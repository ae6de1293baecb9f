"""Redis replies that have to be complete in time: what redis-py itself limits is each read of one.

A server or network that drips a byte every 0.2 s never breaks a time-out of 0.25 s, and the greeting
of a new connection alone would hold a caller for 20 seconds.
"""

import time

import redis
from redis._parsers import _HiredisParser  # the package has no public name for it


class PromptParser(_HiredisParser):
    """Reads replies as hiredis does; raises `redis.TimeoutError` for one that takes too long as a whole.

    A reply gets the connection's `socket_timeout`, in seconds, and at most one more wait of that length.
    """

    def read_response(self, *arguments: object, **options: object) -> object:
        limit = self._socket_timeout
        self._until = None if limit is None else time.monotonic() + limit
        return super().read_response(*arguments, **options)

    def read_from_socket(self, *arguments: object, **options: object) -> object:
        if self._until is not None and time.monotonic() > self._until:
            raise redis.TimeoutError("the answer does not come to an end")
        return super().read_from_socket(*arguments, **options)  # type: ignore[no-untyped-call]
