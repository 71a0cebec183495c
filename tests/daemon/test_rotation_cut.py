"""A rotation that is refused, cut short or begun twice: what lies beside the key then."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchd.daemon import rotating
from tests.daemon.rotated_rack import JOBS, files_of, key_of, make_rack, rotated, sell

pytestmark = pytest.mark.asyncio


class Cut(BaseException):
    """Nothing gets to run after it, as after SIGKILL."""


# Only root gives files away.
OWNER = 12_345 if os.geteuid() == 0 else os.geteuid()


@pytest.mark.parametrize("named", ["next_key", "next_ring", "public", "ring"])
async def test_wherever_it_is_cut_the_daemon_can_read_what_it_leaves(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    settings = make_rack(tmp_path)
    files = files_of(settings)
    await sell(settings, JOBS[0])
    for path in (tmp_path, files.key, files.public):
        os.chown(path, OWNER, -1)
    last: Path = getattr(files, named)
    genuine = rotating.replace_file

    def replace(path: Path, data: bytes) -> None:
        genuine(path, data)
        if path.name.startswith(last.name):
            raise Cut

    with monkeypatch.context() as patch:
        patch.setattr(rotating, "replace_file", replace)
        with pytest.raises(Cut):
            await rotated(settings)
    await rotated(settings)
    assert key_of(settings).ring.rotations
    modes = {
        path.name: (path.stat().st_uid, oct(path.stat().st_mode & 0o777))
        for path in (files.key, files.secrets, files.public, files.ring)
    }
    assert modes == {
        "key.pem": (OWNER, "0o600"),
        "key.pem.secrets": (OWNER, "0o600"),
        "key.pem.pub": (OWNER, "0o644"),
        "key.pem.ring": (OWNER, "0o644"),
    }
