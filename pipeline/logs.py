"""Logging of every process: one line each to standard error, with no password in it, library texts included."""

from __future__ import annotations

import logging
import sys

from pipeline.errors import redact

_NOISY = ("rq.worker", "rq.job", "rq.queue", "botocore", "urllib3", "uvicorn.access", "httpx", "httpcore")


class RedactingFormatter(logging.Formatter):
    """Formats a record, traceback included, and takes the passwords out of the whole."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        return redact(super().format(record))


def set_up(level: str) -> None:
    """Send the log to standard error from now on."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(RedactingFormatter("%(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    for name in _NOISY:
        logging.getLogger(name).setLevel(logging.CRITICAL if name.startswith("rq.") else logging.WARNING)
