"""The centre as a service: over TLS to whoever shows a certificate it knows, or on loopback."""

from __future__ import annotations

import ipaddress
import socket
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import structlog
import uvicorn
from fastapi import FastAPI

from benchd.domain.errors import UsageRefused
from benchd.fleet.centre_app import create_centre_app
from benchd.fleet.fleet_database import open_database
from benchd.fleet.joined_racks import JoinedRacks
from benchd.fleet.record_intake import RecordIntake
from benchd.signing.private_key import load_key
from benchd.signing.tls import TlsFiles, make_context

MOST_CONNECTIONS: Final = 512
"""Beyond these a rack hears 503, and comes again later."""
GRACE_S: Final = 5

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class CentreSettings:
    """How the centre is run."""

    database: str
    """As libpq takes it; empty for what its environment says (PGHOST, PGSERVICE …)."""
    key: Path
    host: str
    port: int
    tls: TlsFiles | None


async def run_centre(
    settings: CentreSettings, listeners: list[socket.socket] | None = None
) -> None:
    """Serve until SIGTERM or SIGINT, on sockets that listen already if there are any.

    Raises UsageRefused, DependencyMissing.
    """
    tls = None if settings.tls is None else mutual_tls(settings.tls)
    if tls is None and not _is_loopback(settings.host):
        raise UsageRefused(
            f"beyond this machine records go over TLS alone, and {settings.host} is: give the"
            " centre's certificate, its key and the authority that racks' certificates are of"
        )
    key = load_key(settings.key)
    async with open_database(settings.database) as database:
        app = create_centre_app(JoinedRacks(database), RecordIntake(database, key, _now))
        _log.info("fleet_serving", port=settings.port)
        server = uvicorn.Server(server_config(app, settings.host, settings.port, tls))
        await server.serve(sockets=listeners)


def mutual_tls(files: TlsFiles) -> ssl.SSLContext:
    """The rules by which nobody is let in who shows no certificate. Raises UsageRefused."""
    if files.client_authority is None:
        raise UsageRefused("who vouches for racks has to be said: --client-authority")
    context = make_context(files)
    context.verify_mode = ssl.CERT_REQUIRED
    return context


def server_config(app: FastAPI, host: str, port: int, tls: ssl.SSLContext | None) -> uvicorn.Config:
    """How it listens."""
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http="h11",
        ws="none",
        loop="asyncio",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=MOST_CONNECTIONS,
        timeout_graceful_shutdown=GRACE_S,
        ssl_context_factory=None if tls is None else lambda _, __: tls,
    )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _now() -> datetime:
    return datetime.now(UTC)
