"""From [http] to who is let in: TLS and its life, the proxy, what anybody is shown."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

import structlog

from benchd.config import HttpSettings
from benchd.domain.errors import DependencyMissing
from benchd.domain.people import PersonId
from benchd.people.sessions import Sessions
from benchd.signing.tls import Tls, expiry_of
from benchd.web.access_level import AccessLevel
from benchd.web.callers import Callers, session_way, unix_way
from benchd.web.proxy import NameOf, TrustedProxy, by_certificate, by_uid

TOLD_BEFORE = timedelta(days=21)
"""How long before its end a certificate is a warning at each start and reload."""

_ANONYMOUS: Mapping[str, AccessLevel] = MappingProxyType(
    {"none": AccessLevel.NONE, "wall": AccessLevel.WALL, "read": AccessLevel.READ}
)

_log = structlog.get_logger()


def callers_of(
    http: HttpSettings,
    tls: Tls | None,
    *,
    sessions: Sessions,
    of_uid: Mapping[int, PersonId],
    name_of: NameOf,
) -> Callers:
    """Who may show themselves how: by a session, else their user id, else the proxy's word."""
    proxy = _proxy_of(http, tls, name_of)
    ways = (session_way(sessions), unix_way(of_uid.get, name_of, proxy))
    return Callers(ways, proxy=proxy, anonymous=_ANONYMOUS[http.anonymous])


def tls_of(http: HttpSettings) -> Tls | None:
    """TLS, if the configuration has its files. DependencyMissing if they can't be used."""
    if http.tls_files is None:
        return None
    tls = Tls(http.tls_files)
    _tell_of_end(tls)
    return tls


def renew(tls: Tls) -> None:
    """Take over files that have changed; what can't be used is told, and the former stay."""
    try:
        if tls.renew():
            _log.info("tls_renewed", path=str(tls.files.certificate))
    except DependencyMissing as missing:
        _log.error(
            "tls_refused", detail=missing.message, kept="the former files", cure=missing.cure
        )
    _tell_of_end(tls)


def _tell_of_end(tls: Tls) -> None:
    try:
        ends = expiry_of(tls.files.certificate)
    except (OSError, ValueError):
        return  # told by whoever wanted to use it
    if ends - datetime.now(UTC) < TOLD_BEFORE:
        path = str(tls.files.certificate)
        _log.warning("tls_certificate_ends", path=path, at=ends.isoformat())


def _proxy_of(http: HttpSettings, tls: Tls | None, name_of: NameOf) -> TrustedProxy | None:
    proxy = http.trusted_proxy
    if proxy is None:
        return None
    if proxy.uid is not None:
        sends = by_uid(proxy.uid)
    elif tls is not None:
        sends = by_certificate(tls)
    else:
        return None
    if not proxy.forwarded:
        _log.warning("proxy_visitors_unknown", cure="docs/service.md: forwarded = true")
    return TrustedProxy(
        header=proxy.header, sends=sends, name_of=name_of, tells_visitors=proxy.forwarded
    )
