"""Where traces are sent to, as it is configured."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from benchd.domain.errors import UsageRefused

LONGEST_TIMEOUT_S: Final = 60.0
MOST_HEADERS: Final = 16
LARGEST_FILE_BYTES: Final = 8192
_HEADER: Final = re.compile(r"([A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}):[ \t]*([!-~](?:[ -~]*[!-~])?)")
"""A field name (RFC 9110, 5.1) and a value of visible ASCII."""
_OURS: Final = frozenset(
    {"accept-encoding", "connection", "content-encoding", "content-length", "content-type", "host"}
    | {"te", "trailer", "transfer-encoding", "upgrade"}
)
"""What benchd's own requests say, and what would change how they are read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceTarget:
    """A collector that takes OTLP/HTTP."""

    url: str = field(repr=False)
    """May have a token in it, so it's never logged."""
    headers: Mapping[str, str] = field(repr=False, default_factory=dict[str, str])
    timeout_s: float = 10.0
    authority: Path | None = None
    """The certificate of whoever vouches for the collector, in place of the system's own."""


def read_headers(path: Path) -> dict[str, str]:
    """The headers in a file, `Name: value` a line; raises UsageRefused."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(file.fileno())
            text = file.read(LARGEST_FILE_BYTES + 1).decode("ascii", "replace")
    except OSError as error:
        raise UsageRefused(f"{path} can't be read: {error.strerror}") from error
    if not stat.S_ISREG(status.st_mode) or status.st_mode & stat.S_IRWXO:
        raise UsageRefused(f"{path} can be read by everybody; chmod 600 it")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(text) > LARGEST_FILE_BYTES or not 1 <= len(lines) <= MOST_HEADERS:
        raise UsageRefused(f"{path} has {len(lines)} lines; allowed are 1 to {MOST_HEADERS}")
    headers: dict[str, str] = {}
    for number, line in enumerate(lines, 1):
        # What stands there may be a secret: the line is told by its number alone.
        read = _HEADER.fullmatch(line)
        if read is None or read[1].lower() in _OURS or read[1].lower() in headers:
            raise UsageRefused(
                f"{path}: line {number} isn't a header of its own, `Name: value` in ASCII"
            )
        headers[read[1].lower()] = read[2]
    return headers
