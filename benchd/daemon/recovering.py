"""What a former daemon has left open is settled before the rack begins."""

from __future__ import annotations

from typing import Final

import structlog

from benchd.certificate import DsseIssuer
from benchd.config import Settings
from benchd.daemon.pictures import digests_of
from benchd.daemon.system import SystemClock
from benchd.pipelines.recovery import keep_certificates, settle_open_jobs
from benchd.ports import Ledger
from benchd.proof.evidence.fresh import FreshPictures
from benchd.revision import commit, version
from benchd.words.record import Entry, EntryKind

CERTIFICATES_LOOKED_AT: Final = 500
"""How many of the newest jobs are looked at for a certificate whose file a crash left out."""

_log = structlog.get_logger()


async def recover(
    ledger: Ledger,
    issuer: DsseIssuer,
    clock: SystemClock,
    settings: Settings,
    pictures: FreshPictures,
) -> None:
    """The start goes on record first."""
    await ledger.append(
        Entry(
            kind=EntryKind.DAEMON_STARTED,
            at=clock.now(),
            data={
                "version": version(),
                "commit": commit(),
                "site": settings.site.name,
                "recipes": {name: r.digest for name, r in settings.recipes.items()},
                "fresh_pictures": digests_of(pictures),
            },
        )
    )
    settled = await settle_open_jobs(ledger, clock)
    await keep_certificates(ledger, issuer, CERTIFICATES_LOOKED_AT)
    _log.info("recovered", interrupted_jobs=settled)
