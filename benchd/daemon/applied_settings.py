"""A configuration comes into effect: at a start, and when it was read anew."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import structlog

from benchd.certificate import DsseIssuer
from benchd.certificate.signed_pictures import believed, picture_sha256
from benchd.config import Settings
from benchd.daemon.http_listener import renew
from benchd.daemon.rack_intake import required_by
from benchd.daemon.rack_papers import good_for_days
from benchd.daemon.services import RunningRack
from benchd.daemon.system_clock import SystemClock
from benchd.domain.ports import Ledger
from benchd.domain.record import Entry, EntryKind
from benchd.domain.version_info import commit, version
from benchd.pipelines.recovery import close_open_jobs, keep_certificates
from benchd.proof.evidence.fresh_evidence import FreshPictures
from benchd.signing.private_key import SigningKey
from benchd.slots.slot_dependencies import RackParts
from benchd.slots.supervisor import Supervisor

CERTIFICATES_LOOKED_AT: Final = 500
"""How many of the newest jobs are looked at for a certificate whose file a crash left out."""

_log = structlog.get_logger()


def own_pictures(settings: Settings, key: SigningKey) -> FreshPictures:
    """Those that this rack has taken itself; any other is told in the log and excuses nothing."""
    own = believed(settings.fresh_pictures, key.ring)
    for signed in settings.fresh_pictures:
        if signed not in own.all:
            _log.warning("fresh_picture_not_signed", name=signed.picture.model)
    return own


def _digests_of(pictures: FreshPictures) -> list[str]:
    """What the ledger knows them by."""
    return [picture_sha256(signed.picture) for signed in pictures.all]


async def recover(
    ledger: Ledger,
    issuer: DsseIssuer,
    clock: SystemClock,
    settings: Settings,
    pictures: FreshPictures,
) -> None:
    """Settle what a former daemon has left open; the start goes on record first."""
    await ledger.append(
        Entry(
            kind=EntryKind.DAEMON_STARTED,
            at=clock.now(),
            data={
                "version": version(),
                "commit": commit(),
                "site": settings.site.name,
                "recipes": {name: r.digest for name, r in settings.recipes.items()},
                "fresh_pictures": _digests_of(pictures),
            },
        )
    )
    settled = await close_open_jobs(ledger, clock)
    await keep_certificates(ledger, issuer, CERTIFICATES_LOOKED_AT)
    _log.info("recovered", interrupted_jobs=settled)


async def take_over(
    supervisor: Supervisor,
    parts: RackParts,
    rack: RunningRack,
    key: SigningKey,
    settings: Settings,
) -> None:
    """Put what can change at run time into effect; the ledger knows of it first."""
    if rack.tls is not None:
        renew(rack.tls)
    pictures = own_pictures(settings, key)
    await parts.ledger.append(
        Entry(
            kind=EntryKind.CONFIG_CHANGED,
            at=parts.clock.now(),
            data={
                "slots": {
                    name: {"port_path": place.port_path, "recipe": place.recipe}
                    for name, place in settings.topology.places.items()
                },
                "recipes": {name: r.digest for name, r in settings.recipes.items()},
                "models_sha256": settings.models.sha256,
                "fresh_pictures": _digests_of(pictures),
            },
        )
    )
    rack.wall.plan = settings.wall
    rack.grades.scale = settings.grades
    rack.shipping.good_for_days = good_for_days(settings.recipes)
    rack.intake.required = required_by(settings.recipes.values())
    rack.metrics.reconfigured(
        slots=settings.topology.places, recipes=settings.recipes, models=settings.models
    )
    changes = await supervisor.reload(
        settings.topology,
        replace(
            parts,
            recipes=settings.recipes,
            models=settings.models,
            pictures=pictures,
            timing=settings.timing,
        ),
    )
    _log.info(
        "config_reloaded",
        added=changes.added,
        removed=changes.removed,
        moved=changes.moved,
        other_recipe=changes.other_recipe,
    )
