"""[traces]: which collector is told where each job's time went; none without an address."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, ValidationInfo, field_validator

from benchd.config.addresses import AnchorAddress, begin_of
from benchd.config.config_values import LocalPath, Section
from benchd.config.mistake_wording import refused
from benchd.config.parsed_toml import Document
from benchd.domain.errors import ConfigIssue, UsageRefused
from benchd.domain.loopback import is_loopback_url
from benchd.outbound.traces.trace_settings import LONGEST_TIMEOUT_S, TraceTarget, read_headers


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

    @property
    def target(self) -> TraceTarget | None:
        """The same as the daemon uses it, its headers read. Raises UsageRefused."""
        if self.url is None:
            return None
        return TraceTarget(
            url=self.url,
            headers={} if self.headers is None else read_headers(self.headers),
            timeout_s=self.timeout_s,
            authority=self.authority,
        )


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
