"""Who gets at the files of the rack: the daemon's own user, and nobody else at its key.

An administrator looks as root, who may read them all.
"""

from __future__ import annotations

import grp
import os
import pwd
import stat
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from benchd.cli.doctor.findings import About, Finding
from benchd.cli.doctor.folders import Owner
from benchd.config import Settings
from benchd.config.parsed_toml import read_document
from benchd.config.recipes import recipe_files
from benchd.daemon.config_check import recipes_in
from benchd.signing.key_store import KeyFiles

Closed = Callable[[str, Sequence[Path], Owner], "list[Path] | None"]
"""The paths that fail a test(1), `-r` or `-x`, of this user; None where nobody can tell."""
_WITHIN_S: Final = 10.0
_TELLS: Final = 'by=$1; shift; for each; do test "$by" "$each" || printf "%s\\0" "$each"; done'


def readable(config: Path, settings: Settings, owner: Owner, closed: Closed) -> Finding:
    """Whether all that the configuration names may be read by the daemon."""
    about = About("check.rights").having(name=owner.name)
    named = list(_named(config, settings))
    kept_out = closed("-r", named, owner)
    if kept_out is None:
        return about.not_checked("doctor.rights_unseen", "cure.as_root")
    if not kept_out:
        return about.having(count=len(named)).ok("doctor.rights_there")
    # The first step of the way that is closed to it, or the end of the way.
    way = [*reversed(kept_out[0].parents)]
    culprit = [*(closed("-x", way, owner) or ()), kept_out[0]][0]
    told = about.having(path=kept_out[0], value=culprit)
    return told.fail("doctor.rights_missing", "cure.give_rights")


def opened_by(path: Path, owner: Owner) -> str | None:
    """By what somebody else than root and the daemon's user gets in; None where nobody does."""
    return _by(path.stat(), owner, stat.S_IRWXG | stat.S_IRWXO)


def changed_by(path: Path, owner: Owner) -> str | None:
    """By what somebody else than these may write to it; None where nobody may.

    A group that is its owner's alone, as Debian makes one for each user, is nobody else.
    """
    found = path.stat()
    alone = _is_private(found.st_gid, found.st_uid)
    return _by(found, owner, stat.S_IWOTH if alone else stat.S_IWGRP | stat.S_IWOTH)


def _by(found: os.stat_result, owner: Owner, others: int) -> str | None:
    """Its owner, where it's another one, or its mode, if it has any of these bits."""
    if found.st_uid not in (0, owner.uid):
        return f"uid {found.st_uid}"
    return f"{stat.S_IMODE(found.st_mode):04o}" if found.st_mode & others else None


def _is_private(group: int, user: int) -> bool:
    """Whether a group is a user's own one, with nobody else in it (login.defs(5), USERGROUPS)."""
    try:
        whose, found = pwd.getpwuid(user), grp.getgrgid(group)
    except KeyError:
        return False
    alone = set(found.gr_mem) <= {whose.pw_name}
    return whose.pw_gid == group and whose.pw_name == found.gr_name and alone


def _named(config: Path, settings: Settings) -> Iterator[Path]:
    """What a start reads with the daemon's own rights, as far as it is there."""
    yield config
    recipes = recipes_in(read_document(config, str(config)), config)
    http, ring = settings.http, KeyFiles(settings.certificate.key).ring
    proxy = http.trusted_proxy.client_certificate if http.trusted_proxy else None
    hooks = [file for hook in settings.hooks for file in (hook.secret, hook.authority)]
    named = [recipes, *recipe_files(recipes), ring, http.tls_certificate, http.tls_key, proxy]
    yield from (file for file in (*named, *hooks) if file is not None and file.exists())


def closed_to(by: str, paths: Sequence[Path], owner: Owner) -> list[Path] | None:
    """As `Closed`, by a process that is this user: so the kernel says it, lists of access too."""
    own = os.geteuid() == owner.uid
    try:
        user = None if own else pwd.getpwuid(owner.uid)
        told = subprocess.run(
            ["/bin/sh", "-c", _TELLS, "sh", by, *paths],
            capture_output=True,
            check=True,
            timeout=_WITHIN_S,
            cwd="/",
            user=user and user.pw_uid,
            group=user and user.pw_gid,
            extra_groups=user and os.getgrouplist(user.pw_name, user.pw_gid),
        )
    except (KeyError, OSError, subprocess.SubprocessError):
        return None
    return [Path(os.fsdecode(each)) for each in told.stdout.split(b"\0") if each]
