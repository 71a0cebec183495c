"""What has to be done again and again: backups, on another disk, and verifications."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from benchd.cli.doctor.findings import About, Finding
from benchd.cli.doctor.machine import Show, States, states
from benchd.daemon.upkeep import Upkeep, last_done

TIMERS: Final = "benchd-backup@*.timer"
BACKUP_WITHIN: Final = timedelta(days=3)
"""As the alert BenchdBackupOld."""
CLOCKS_DIFFER: Final = timedelta(hours=1)
"""Further ahead nothing can have been done."""
VERIFIED_WITHIN: Final = timedelta(days=15)
"""As the alert BenchdVerificationOld."""


def upkeep(ledger: Path, show: Show, now: datetime) -> list[Finding]:
    """When the last of each was, and whether the backups' disks are others than the ledger's."""
    about = About("check.backup")
    try:
        next(ledger.parent.iterdir(), None)
    except FileNotFoundError:
        at = about.having(path=ledger)
        return [at.not_checked("doctor.ledger_not_yet", "cure.made_at_start")]
    except OSError as error:
        return [about.not_to_be_seen(ledger.parent, error)]
    backup, verified = (_age(ledger, what, now) for what in (Upkeep.BACKUP, Upkeep.VERIFICATION))
    timers = states([TIMERS], show)
    return [
        _last_backup(about, backup, sorted(timers or ())),
        *_targets(about, ledger, timers),
        _last_verified(about, verified),
    ]


def _age(ledger: Path, what: Upkeep, now: datetime) -> timedelta | None:
    at = last_done(ledger, what)
    return now - datetime.fromtimestamp(at, UTC) if at else None


def _last_backup(about: About, age: timedelta | None, timers: Sequence[str]) -> Finding:
    """Only those on another disk than the ledger's are noted."""
    cure = "cure.run_backup" if timers else "cure.set_up_backup"
    if timers:
        about = about.having(name=timers[0].removesuffix(".timer"))
    if age is None:
        return about.warn("doctor.backup_never", cure)
    if age < -CLOCKS_DIFFER:
        return about.warn("doctor.done_ahead", "cure.set_clock")
    about = about.having(count=max(0, age.days))
    if age > BACKUP_WITHIN:
        return about.warn("doctor.backup_days", cure)
    return about.ok("doctor.backup_days")


def _last_verified(about: About, age: timedelta | None) -> Finding:
    if age is None:
        return about.warn("doctor.verified_never", "cure.run_verification")
    if age < -CLOCKS_DIFFER:
        return about.warn("doctor.done_ahead", "cure.set_clock")
    about = about.having(count=max(0, age.days))
    if age > VERIFIED_WITHIN:
        return about.warn("doctor.verified_days", "cure.run_verification")
    return about.ok("doctor.verified_days")


def _targets(about: About, ledger: Path, timers: States | None) -> Iterator[Finding]:
    """Where systemd's timers put backups; nothing where it doesn't run here."""
    if timers is None:
        return
    if not timers:
        yield about.warn("doctor.backup_no_timer", "cure.set_up_backup")
    for name in sorted(timers):
        yield _target(about, ledger, folder_of(name))


def _target(about: About, ledger: Path, folder: Path) -> Finding:
    about = about.having(path=folder)
    try:
        same = folder.stat().st_dev == ledger.parent.stat().st_dev
    except FileNotFoundError:
        return about.warn("doctor.backup_away", "cure.bring_backup_disk")
    except OSError as error:
        return about.not_to_be_seen(folder, error)
    if same:
        return about.fail("doctor.backup_same_disk", "cure.backup_elsewhere")
    return about.ok("doctor.backup_other_disk")


def folder_of(timer: str) -> Path:
    """The folder that an instance of the timer names: systemd-escape(1), --path, undone."""
    instance = timer.partition("@")[2].removesuffix(".timer")
    plain = instance.replace("-", "/")
    # An instance of "-" is the root itself.
    escaped = os.fsencode(plain)
    told = re.sub(rb"\\x([0-9a-f]{2})", lambda code: bytes([int(code[1], 16)]), escaped)
    return Path("/", os.fsdecode(told))
