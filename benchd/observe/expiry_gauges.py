"""When what lets others in ends: the certificate of TLS, and the tokens of other systems."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from benchd.domain.token import Token


class ExpiryGauges(Collector):
    """Looked at by every scrape; a rack without TLS has no series of its certificate."""

    def __init__(self) -> None:
        self.tls: Callable[[], tuple[datetime, datetime] | None] = lambda: None
        """From when until when the certificate counts that new connections are shown."""
        self.tokens: Callable[[], Iterable[Token]] = tuple

    def collect(self) -> Iterable[Metric]:
        """Times in seconds; no token is named."""
        begins = GaugeMetricFamily(
            "benchd_tls_certificate_begins_timestamp_seconds",
            "From when on the certificate counts that new connections are shown",
        )
        expires = GaugeMetricFamily(
            "benchd_tls_certificate_expires_timestamp_seconds",
            "When that certificate ends: it's the one in use, which its file may have left behind",
        )
        lives = self.tls()
        if lives is not None:
            begins.add_metric((), lives[0].timestamp())
            expires.add_metric((), lives[1].timestamp())
        yield from (begins, expires)
        ends = [token.expires_at for token in self.tokens() if token.revoked_at is None]
        yield GaugeMetricFamily(
            "benchd_token_expires_timestamp_seconds",
            "When the first token ends, or has ended, that nobody has revoked; 0 without any",
            value=min(ends).timestamp() if ends else 0.0,
        )
