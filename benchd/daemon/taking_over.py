"""A configuration that was read anew comes into effect."""

from __future__ import annotations

from dataclasses import replace

import structlog

from benchd.config import Settings
from benchd.daemon.doorway import renew
from benchd.daemon.pictures import digests_of, own_pictures
from benchd.daemon.services import RunningRack
from benchd.signing.key import SigningKey
from benchd.slots.parts import RackParts
from benchd.slots.supervisor import Supervisor
from benchd.words.record import Entry, EntryKind

_log = structlog.get_logger()


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
                "fresh_pictures": digests_of(pictures),
            },
        )
    )
    rack.wall.plan = settings.wall
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
