"""How benchd logs: one line an event, to journald with its fields, else to standard error.

On a terminal it is for people, everywhere else JSON.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Mapping, MutableMapping
from typing import Any, Final, Literal

import structlog

from benchd.observe.journald import JOURNAL_SOCKET, JournalSocket, journal_stream_is
from benchd.observe.log_events import message_ids
from benchd.observe.log_level_change import LogLevels
from benchd.observe.private_words import PrivateWords

LONGEST_TEXT: Final = 4000
IDENTIFIER: Final = "benchd"

_PRIORITY: Final = {"critical": "2", "error": "3", "warning": "4", "info": "6", "debug": "7"}
"""syslog(3)."""
_KEPT_AS_IT_IS: Final = frozenset({"exception"})
_FIRST: Final = ("slot", "job", "occupancy")

Event = MutableMapping[str, Any]
Target = Literal["journal", "terminal", "json"]


def configure_logs(levels: LogLevels | None = None) -> PrivateWords:
    """Send every log line to where it belongs; returns what has to be told of private words.

    Lines of level debug go where `levels` lets them, without it nowhere; those of libraries
    never, since they hold what benchd hasn't looked at.
    """
    target = _target()
    words = PrivateWords()

    def mask(_logger: object, _method: str, event: Event) -> Event:
        return words.mask(event)

    def let_through(_logger: object, method: str, event: Event) -> Event:
        if levels is not None and not levels.lets_through(method, event.get("slot")):
            raise structlog.DropEvent
        return event

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            let_through,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            # Tracebacks as text: with local variables they would tell what may not be told.
            structlog.processors.format_exc_info,
            mask,
            make_printable,
            *_renderers(target),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.INFO if levels is None else logging.DEBUG
        ),
        logger_factory=(
            JournalLoggerFactory(JournalSocket())
            if target == "journal"
            else structlog.PrintLoggerFactory(sys.stderr)
        ),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[_LibraryHandler()], level=logging.WARNING, force=True)
    return words


def _target() -> Target:
    if sys.stderr.isatty():
        return "terminal"
    try:
        journal = journal_stream_is(sys.stderr.fileno(), os.environ) and JOURNAL_SOCKET.exists()
    except (OSError, ValueError):
        journal = False
    return "journal" if journal else "json"


def _renderers(target: Target) -> list[structlog.typing.Processor]:
    match target:
        case "journal":
            return [journal_fields]
        case "terminal":
            plain = structlog.dev.plain_traceback
            return [structlog.dev.ConsoleRenderer(exception_formatter=plain)]
        case "json":
            return [name_slot_and_job, structlog.processors.JSONRenderer(ensure_ascii=False)]


def make_printable(_logger: object, _method: str, event: Event) -> Event:
    """Bound every text and take out what a terminal would obey."""
    for key, value in event.items():
        if isinstance(value, str) and key not in _KEPT_AS_IT_IS:
            event[key] = "".join(c if c.isprintable() else "\ufffd" for c in value[:LONGEST_TEXT])
    return event


def name_slot_and_job(_logger: object, _method: str, event: Event) -> Event:
    """Every line has a slot and a job; null where it concerns the whole rack."""
    event.setdefault("slot", None)
    event.setdefault("job", None)
    return event


def journal_fields(_logger: object, _method: str, event: Event) -> Event:
    """The line as journald's fields: those of its own, then each of ours as `BENCHD_…`."""
    name, level = str(event.pop("event", "")), str(event.pop("level", "info"))
    event.pop("timestamp", None)  # journald has its own
    exception = event.pop("exception", None)
    keys = dict.fromkeys([*_FIRST, *event])
    told = {key: event[key] for key in keys if event.get(key) is not None}
    message = " ".join([name, *(f"{key}={_shown(value)}" for key, value in told.items())])
    fields = {
        "MESSAGE": message if exception is None else f"{message}\n{exception}",
        "PRIORITY": _PRIORITY.get(level, "6"),
        "SYSLOG_IDENTIFIER": IDENTIFIER,
        "BENCHD_EVENT": name,
    }
    if (message_id := message_ids().get(name)) is not None:
        fields["MESSAGE_ID"] = message_id
    fields |= {_field_name(key): _shown(value, quoted=False) for key, value in told.items()}
    return fields


def _field_name(key: str) -> str:
    return "BENCHD_" + "".join(c if c.isascii() and c.isalnum() else "_" for c in key.upper())[:50]


def _shown(value: object, *, quoted: bool = True) -> str:
    if isinstance(value, str):
        plain = not quoted or (value and not any(c in value for c in ' "='))
        return value if plain else json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping | list):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


class JournalLogger:
    """What structlog hands the fields of each line to."""

    def __init__(self, journal: JournalSocket) -> None:
        self._journal = journal
        self._lost = 0

    def msg(self, **fields: str) -> None:
        """Send one line; a line that journald didn't take is counted on the next that it does."""
        if self._lost:
            fields["BENCHD_LOST_LINES"] = str(self._lost)
        self._lost = 0 if self._journal.send(fields) else self._lost + 1

    debug = info = warning = error = critical = exception = fatal = msg


class JournalLoggerFactory:
    """Makes loggers that share one socket, and one count of what was lost."""

    def __init__(self, journal: JournalSocket) -> None:
        self._logger = JournalLogger(journal)

    def __call__(self, *_arguments: object) -> JournalLogger:
        """The one logger."""
        return self._logger


class _LibraryHandler(logging.Handler):
    """Brings what libraries log into the same form."""

    def emit(self, record: logging.LogRecord) -> None:
        """Log it as benchd's own."""
        level = min(record.levelno // 10 * 10, logging.CRITICAL)
        told = record.getMessage()
        structlog.get_logger().log(level, told, logger=record.name, exc_info=record.exc_info)
