"""Free loopback ports for test servers."""

import socket


def free_port() -> int:
    """A port that was free a moment ago; another process may take it, so whoever starts there retries."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
