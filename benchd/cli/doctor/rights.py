"""Whether the daemon's own user gets at the files that the configuration names.

An administrator looks as root, who may read them all.
"""

from __future__ import annotations

import os
import pwd
import subprocess
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from benchd.cli.doctor.findings import About, Finding
from benchd.cli.doctor.folders import Owner
from benchd.config import Settings
from benchd.config.recipes import recipe_files
from benchd.config.toml_document import read_document
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
