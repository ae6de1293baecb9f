"""Structured logs: one event a line, for a person at a terminal or as JSON for a collector."""

import logging
import sys
from typing import Literal

import structlog


def set_up_logs(level: str, form: Literal["console", "json"]) -> None:
    """Send structlog events at `level` or above to stderr."""
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            # Locals stay out of tracebacks: they would hold phone numbers and tokens.
            *([structlog.processors.format_exc_info] if form == "json" else []),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
