"""[traces]: which collector is told where each job's time went; none without an address."""

from __future__ import annotations

import os
import re
import ssl
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

from pydantic import Field, ValidationInfo, field_validator

from benchd.config.addresses import AnchorAddress, begin_of
from benchd.config.config_values import LocalPath, Section
from benchd.config.mistake_wording import refused
from benchd.config.parsed_toml import Document
from benchd.domain.errors import ConfigIssue, UsageRefused
from benchd.domain.loopback import is_loopback_url

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


class TracesSection(Section):
    """A collector that takes OTLP over HTTP."""

    # What `url` depends on stands before it.
    allow_plain_http: bool = False
    url: AnchorAddress | None = None
    headers: LocalPath | None = None
    """A file of headers for it, `Name: value` a line."""
    authority: LocalPath | None = None
    timeout_s: Annotated[float, Field(gt=0, le=LONGEST_TIMEOUT_S, allow_inf_nan=False)] = 10.0

    @field_validator("url")
    @classmethod
    def _encrypted(cls, url: str | None, info: ValidationInfo) -> str | None:
        plain = url is not None and urlsplit(url).scheme == "http" and not is_loopback_url(url)
        if url is not None and plain and info.data.get("allow_plain_http") is False:
            raise refused(
                f"found {begin_of(url)}, over which everybody on the way could read what the rack"
                " does; allowed is https://, or any with allow_plain_http = true"
            )
        return url


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


def trace_issues(document: Document, traces: TracesSection) -> Iterator[ConfigIssue]:
    """What is wrong with the files that it names.

    What isn't for the eyes of whoever looks, the daemon's own find at its start.
    """
    if traces.headers is not None:
        try:
            read_headers(traces.headers)
        except UsageRefused as refusal:
            if not isinstance(refusal.__cause__, PermissionError):
                yield document.issue(("traces", "headers"), str(refusal))
    if traces.authority is not None:
        try:
            ssl.create_default_context(cafile=traces.authority)
        except PermissionError:
            pass
        except OSError:
            message = f"{traces.authority} isn't there or holds no certificate in PEM"
            yield document.issue(("traces", "authority"), message)
