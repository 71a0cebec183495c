"""The rack's backup: its ledger, and of what lies beside it all that can't be made anew from it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

from benchd.certificate import load_rack_key
from benchd.config import Settings
from benchd.daemon.rack_people import give_back, people_file
from benchd.daemon.system_clock import SystemClock
from benchd.daemon.upkeep import Upkeep, note_done
from benchd.domain.errors import BackupInvalid
from benchd.domain.version_info import version
from benchd.ledger.backup import Author, write_backup
from benchd.ledger.manifest import Manifest, Part
from benchd.people.secrets_store import SecretStore
from benchd.signing import canonical


def back_up(
    settings: Settings, folder: Path, *, pace: Callable[[float], object] = time.sleep
) -> tuple[Path, Manifest]:
    """Back the rack up into a folder, whether its daemon runs or not: as `write_backup` says.

    Certificates stand in the ledger, word by word; a restore writes their files anew. Only one on
    another disk than the ledger's is noted as done.
    """
    ledger = settings.ledger.path
    key = load_rack_key(settings.certificate.key, os.environ)
    at = SystemClock().now()
    try:
        path, manifest = write_backup(
            ledger,
            folder,
            Author(key=key, ring=key.ring, benchd=version()),
            at=at,
            beside=lambda: {
                Part.PEOPLE: _secrets_of(ledger),
                Part.RING: key.ring.encode(),
            },
            pace=pace,
        )
        if not is_on_same_disk(settings, folder):
            note_done(ledger, Upkeep.BACKUP, at)
    finally:
        give_back(ledger)
    return path, manifest


def is_on_same_disk(settings: Settings, folder: Path) -> bool:
    """Whether a folder is on the ledger's file system: one dead disk would take both."""
    return folder.stat().st_dev == settings.ledger.path.parent.stat().st_dev


def put_secrets_back(ledger: Path, kept: bytes) -> None:
    """Add badges and PINs of a backup to those beside the ledger, which says which of them count.

    Raises BackupInvalid for what isn't in their form.
    """
    told: object = canonical.decode(kept)
    if not isinstance(told, Mapping):
        raise BackupInvalid("the file of badges and PINs doesn't have their form")
    with closing(SecretStore(people_file(ledger))) as store:
        for secret in told.values():
            store.keep(bytes.fromhex(str(secret)))


def _secrets_of(ledger: Path) -> bytes:
    path = people_file(ledger)
    if not path.exists():
        return canonical.encode({})
    with closing(SecretStore(path)) as store:
        return canonical.encode({mark: kept.hex() for mark, kept in store.all().items()})
