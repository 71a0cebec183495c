"""Log lines of a command that isn't the daemon: its output is for whoever called it."""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

Event = MutableMapping[str, Any]


def configure_command_logs() -> None:
    """What is worth a warning goes to standard error, and nothing else anywhere.

    The daemon's command configures its own afterwards.
    """
    if structlog.is_configured():
        return
    structlog.configure(
        processors=[_warnings_alone, *structlog.get_config()["processors"]],
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )


def _warnings_alone(_logger: object, method: str, event: Event) -> Event:
    if logging.getLevelNamesMapping().get(method.upper(), logging.CRITICAL) < logging.WARNING:
        raise structlog.DropEvent
    return event
