"""Where logs go, and in which form."""

from __future__ import annotations

import json
import logging
import sys


def configure(level: str, style: str) -> None:
    """Logs of tapctl go to standard error; other libraries stay silent.

    Args:
        style: text or json.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_JSONLines() if style == "json" else logging.Formatter("%(levelname)s %(name)s: %(message)s"))
    logger = logging.getLogger("tapctl")
    logger.handlers = [handler]
    logger.setLevel(level.upper())


class _JSONLines(logging.Formatter):
    """One JSON document a line."""

    def format(self, record: logging.LogRecord) -> str:
        entry = {
            "time": self.formatTime(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        return json.dumps(entry)
