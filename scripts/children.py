"""Processes that live no longer than the one that started them."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

# Runs between us and the program: a hook in a fork of this process would be unsafe beside threads.
# PR_SET_PDEATHSIG (prctl(2)) survives the exec; other systems than Linux have nothing like it.
_BECOME_THE_PROGRAM = """
import ctypes, os, sys
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, int(sys.argv[1]))
if os.getppid() != int(sys.argv[2]):
    sys.exit("whoever started this has ended")
try:
    os.execv(sys.argv[3], sys.argv[3:])
except OSError as error:
    sys.exit(f"{sys.argv[3]} cannot be run: {error.strerror}")
"""
_POLL = 0.02


class Child:
    """A running program in a session of its own, so that Ctrl-C is for us, who stop it in order.

    Linux asks it to end when the thread that started it ends, whatever ended that.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        environ: Mapping[str, str] | None = None,
        directory: Path | None = None,
        log: Path | None = None,
        held: Sequence[int] = (),
    ) -> None:
        """Start at once. `log` is written anew; without one the output goes where ours goes.

        `held` are file descriptors that the program keeps open while it lives, such as a lock.
        """
        self.name = name
        start = [sys.executable, "-I", "-S", "-c", _BECOME_THE_PROGRAM]
        output = None if log is None else os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            self._process = subprocess.Popen(
                [*start, str(int(signal.SIGTERM)), str(os.getpid()), *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=None if output is None else subprocess.STDOUT,
                env=None if environ is None else dict(environ),
                cwd=directory,
                pass_fds=held,
                start_new_session=True,
            )
        finally:
            if output is not None:
                os.close(output)

    @property
    def pid(self) -> int:
        return self._process.pid

    def has_ended(self) -> bool:
        """Whether it is gone; it is not reaped, so that its id stays ours until `stop`."""
        if self._process.returncode is not None:
            return True
        return os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None

    def stop(self, grace: float, hurry: threading.Event | None = None) -> None:
        """Ask it to end, kill it after `grace` seconds or on `hurry`, with all that it left behind."""
        if self._process.returncode is not None:
            return
        hurry = hurry or threading.Event()
        if not self.has_ended():
            self._process.send_signal(signal.SIGTERM)
        waited = 0.0
        while not self.has_ended() and waited < grace and not hurry.wait(_POLL):
            waited += _POLL
        # Its session is a process group of the same id, which nobody else gets before it is reaped.
        os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()

    def ending(self) -> str:
        """How it ended, in words; stops what it left behind."""
        self.stop(0)
        status = self._process.returncode
        return f"signal {signal.Signals(-status).name}" if status < 0 else f"exit status {status}"
