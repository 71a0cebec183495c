"""The client certificates that count no more, by their authority's list (CRL) as it is now."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime
from pathlib import Path

import structlog
from cryptography import x509

from benchd.domain.errors import DependencyMissing

_log = structlog.get_logger()


class ClientRevocations:
    """Has TLS hold each client's certificate against the list, and reads a newer one.

    A list that has run out lets nobody in: what has been revoked since isn't in it.
    """

    def __init__(self, file: Path, context: ssl.SSLContext) -> None:
        """Raises DependencyMissing for a file that is no list in PEM."""
        self._file = file
        self._context = context
        self._told = False
        self._content = b""
        try:
            self._content = file.read_bytes()
            self._begins, self._ends = _times_of(self._content)
            context.load_verify_locations(file)
        except (OSError, ValueError) as error:
            message = f"{file} holds no list of revoked certificates in PEM ({error})"
            cure = "Make it anew: openssl ca -gencrl (docs/fleet.md)."
            raise DependencyMissing(message, cure=cure) from error
        context.verify_flags |= ssl.VERIFY_CRL_CHECK_LEAF

    def renew(self, now: datetime | None = None) -> bool:
        """Whether another list counts from here on; one that can't be used changes nothing."""
        renewed = False
        try:
            content = self._file.read_bytes()
            if content != self._content:
                self._content, self._told = content, False
                self._take(*_times_of(content))
                renewed = True
        except (OSError, ValueError) as error:
            self._tell(f"{self._file} can't be used, and the former list counts: {error}")
        if self._ends <= (now or datetime.now(UTC)):
            self._tell(f"{self._file} ran out at {self._ends.isoformat()}: no rack is let in")
        return renewed

    def _take(self, begins: datetime, ends: datetime) -> None:
        # TLS keeps the former lists too, and goes by the newest of those that haven't run out.
        if begins <= self._begins or ends < self._ends:
            message = "it is older than that, or ends sooner, so only a restart takes it"
            raise ValueError(message)
        self._context.load_verify_locations(self._file)
        self._begins, self._ends = begins, ends

    def _tell(self, detail: str) -> None:
        if not self._told:
            _log.error("fleet_revocations", detail=detail)
        self._told = True


def _times_of(content: bytes) -> tuple[datetime, datetime]:
    """From when until when the list counts. Raises ValueError for one that doesn't say."""
    read = x509.load_pem_x509_crl(content)
    if read.next_update_utc is None:
        message = "it says no time of its next update"
        raise ValueError(message)
    return read.last_update_utc, read.next_update_utc
