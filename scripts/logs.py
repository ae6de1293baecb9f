"""Structured logs: one event a line, for a person at a terminal or as JSON for a collector."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import structlog

from scripts.log_stream import LogStream


def set_up_logs(level: str, form: Literal["console", "json"]) -> LogStream:
    """Send structlog events at `level` or above to stderr, and what libraries warn of, in one form.

    Returns the stream that they go to; to be called after forking.
    """
    stream = LogStream(sys.stderr.fileno())
    # Locals stay out of tracebacks: they would hold phone numbers and tokens.
    ending: list[structlog.types.Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if form == "json"
        else [
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            )
        ]
    )
    beginning: list[structlog.types.Processor] = [
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[*beginning, *ending],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.WriteLoggerFactory(stream),  # type: ignore[arg-type]  # it needs write and flush only
        cache_logger_on_first_use=True,
    )
    libraries = logging.StreamHandler(stream)
    libraries.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=beginning,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *ending],
        )
    )
    logging.basicConfig(level=logging.WARNING, handlers=[libraries])
    return stream


@contextmanager
def quiet_logs() -> Iterator[None]:
    """Send warnings and worse to stderr for a while: standard output is a command's own."""
    usual = structlog.get_config()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    try:
        yield
    finally:
        structlog.configure(**usual)
