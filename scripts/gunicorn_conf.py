"""How gunicorn serves us: what is the same in every installation; `serve` adds address and size.

Names and meanings are gunicorn 27's (gunicorn.org, "Settings").
"""

import os
from pathlib import Path
from typing import Protocol

from scripts import leaving
from scripts.collecting import collect_seldom


class Worker(Protocol):
    """What we ask of gunicorn's worker; gunicorn is published without types."""

    pid: int


# Threads wait for Redis side by side. A sync worker would also drop queued calls when told to stop.
worker_class = "gthread"
threads = 4

# Calls in flight may end. Not a limit on a call: gunicorn's `timeout` is a watchdog on the worker
# and lets a slow request of gthread run on; the deadlines of a call are in our own code.
graceful_timeout = 25
timeout = 30

# Longer than the 60 s that load balancers commonly keep idle connections, so that it is never us who
# close one that the balancer is about to use. An idle connection costs no thread.
keepalive = 75

# The largest we have reason to read; bodies are limited where they are read.
limit_request_line = 4094
limit_request_fields = 64
limit_request_field_size = 8190

# The workers' sign of life is a file's time: on a disk that stalls they would be taken for dead.
worker_tmp_dir = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108 - it holds no data

# Logs come from the application, one event a line; gunicorn adds only what goes wrong.
accesslog = None
errorlog = "-"
loglevel = "warning"

# Nobody steers by it, and it would leave a socket in the home folder.
control_socket_disable = True


def when_ready(server: object) -> None:
    """Say "not ready" for a while before calls are refused, so that a balancer can send them elsewhere.

    gunicorn itself closes its listeners as soon as it hears TERM. Its handlers are set by now.
    """
    del server
    leaving.before_stopping(float(os.environ.get("DRAIN_SECONDS") or 0))


def post_worker_init(worker: Worker) -> None:
    del worker
    collect_seldom()


def child_exit(server: object, worker: Worker) -> None:
    """Forget the gauges of a worker that ended (prometheus_client, "Multiprocess Mode")."""
    del server
    if Path(os.environ.get("PROMETHEUS_MULTIPROC_DIR", "")).is_dir():
        from prometheus_client.multiprocess import mark_process_dead  # the master needs it only here

        mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]
