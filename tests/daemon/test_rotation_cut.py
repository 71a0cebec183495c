"""A rotation that is refused, cut short, killed or begun twice: what lies beside the key then."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from benchd.certificate import verify_certificate
from benchd.config import Settings
from benchd.config.fresh_pictures import TAKINGS
from benchd.daemon import key_rotation
from benchd.domain.errors import UsageRefused
from benchd.ledger import verify_ledger
from benchd.people.person_secrets import PURPOSE
from benchd.signing.key_store import KeyFiles
from benchd.signing.rack_secrets import CHIP_SALT, PICTURE_MARKS, RackSecrets
from benchd.signing.rotation import Retired
from tests.daemon.rotated_rack import (
    FIRST,
    SECOND,
    files_of,
    key_of,
    make_rack,
    rotated,
    sell,
    settings_in,
)

pytestmark = pytest.mark.asyncio


class Cut(BaseException):
    """Nothing gets to run after it, as after SIGKILL."""


# Only root gives files away.
OWNER = 12_345 if os.geteuid() == 0 else os.geteuid()


@pytest.mark.parametrize("named", ["next_key", "next_ring", "public", "ring"])
async def test_wherever_it_is_cut_the_daemon_can_read_what_it_leaves(
    rack: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, named: str
) -> None:
    files = files_of(rack)
    await sell(rack, FIRST)
    for path in (tmp_path, files.key, files.public):
        os.chown(path, OWNER, -1)
    last: Path = getattr(files, named)
    genuine = key_rotation.replace_file

    def replace(path: Path, data: bytes) -> None:
        genuine(path, data)
        if path.name.startswith(last.name):
            raise Cut

    with monkeypatch.context() as patch:
        patch.setattr(key_rotation, "replace_file", replace)
        with pytest.raises(Cut):
            await rotated(rack)
    await rotated(rack)
    assert key_of(rack).ring.rotations
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


@pytest.mark.parametrize("ends", ["refused", "cut"])
@pytest.mark.parametrize("why", [Retired.LOST, Retired.ROTATED])
async def test_one_that_is_not_decided_leaves_chips_badges_and_pictures_the_same(
    rack: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: Retired, ends: str
) -> None:
    files = files_of(rack)
    await sell(rack, FIRST)
    purposes = (CHIP_SALT, PURPOSE, PICTURE_MARKS, b"one of later")
    before = [key_of(rack).derive(one) for one in purposes]
    away = files.key.rename(tmp_path / "found.pem") if why is Retired.LOST else files.key
    bad = rack.fresh_folder / TAKINGS.replace("*", "x")
    bad.parent.mkdir(exist_ok=True)
    keep = key_rotation._keep

    def cut(of: KeyFiles, path: Path, data: bytes, mode: int) -> None:
        if path == files.next_ring:
            raise Cut
        keep(of, path, data, mode)

    if ends == "refused":
        bad.write_text("half a file")
        with pytest.raises(UsageRefused):
            await rotated(rack, why)
        bad.unlink()
    else:
        with monkeypatch.context() as patch:
            patch.setattr(key_rotation, "_keep", cut)
            with pytest.raises(Cut):
                await rotated(rack, why)
    # The key is found again.
    away.rename(files.key)
    key = key_of(rack)
    assert not key.ring.rotations
    assert [key.derive(one) for one in purposes] == before
    # What is left of it is in nobody's way.
    await rotated(rack)
    assert [key_of(rack).derive(one) for one in purposes[:-1]] == before[:-1]
    names = {file.name for file in tmp_path.glob("key.pem*")}
    assert names == {"key.pem", "key.pem.pub", "key.pem.ring", "key.pem.secrets"}


async def test_secrets_of_a_rotation_that_never_was_take_no_others_place(rack: Settings) -> None:
    files = files_of(rack)
    await rotated(rack)
    before = files.secrets.read_bytes()
    left = files.secrets.with_name(files.secrets.name + ".next")
    left.write_bytes(RackSecrets(seed=bytes(32), known={}).encode())
    left.chmod(0o600)
    await rotated(rack)
    assert files.secrets.read_bytes() == before
    assert not left.exists()


@pytest.mark.parametrize("step", ["witnesses_of", "_decide", "_record", "_take_secrets"])
async def test_a_second_one_waits_its_turn_at_every_step_of_the_first(
    rack: Settings, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    certificate = await sell(rack, FIRST)
    genuine: Callable[..., Any] = getattr(key_rotation, step)
    refused: list[str] = []

    def meanwhile(*told: Any) -> Any:  # noqa: ANN401 - whatever the step takes and gives
        with monkeypatch.context() as patch:
            patch.setattr(key_rotation, step, genuine)
            with pytest.raises(UsageRefused) as caught:
                anyio.run(rotated, rack)
        refused.append(str(caught.value))
        return genuine(*told)

    async def meanwhile_async(*told: Any) -> Any:  # noqa: ANN401 - the same
        with pytest.raises(UsageRefused) as caught:
            await rotated(rack)
        refused.append(str(caught.value))
        return await genuine(*told)

    with monkeypatch.context() as patch:
        patch.setattr(key_rotation, step, meanwhile_async if step == "witnesses_of" else meanwhile)
        await rotated(rack)
    assert [text for text in refused if "another rotation" in text] == refused != []
    key = key_of(rack)
    assert len(key.ring.rotations) == 1
    assert files_of(rack).public.read_bytes() == key.public_key_pem
    verify_certificate(certificate, key.ring)
    # Afterwards it may.
    await rotated(rack)
    assert len(key_of(rack).ring.rotations) == 2


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "why", [Retired.ROTATED, pytest.param(Retired.LOST, marks=pytest.mark.nightly)]
)
async def test_it_is_whole_wherever_it_was_killed(why: Retired, tmp_path: Path) -> None:
    folder = tmp_path / "rack"
    folder.mkdir()
    settings = make_rack(folder)
    certificate = await sell(settings, FIRST)
    old = files_of(settings).public.read_bytes()
    if why is Retired.LOST:
        files_of(settings).key.unlink()
    told = subprocess.run(
        [sys.executable, "-m", "tests.daemon.killed_rotation", folder, why.value],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    steps = [json.loads(line) for line in told.stdout.splitlines()]
    before = "as before" if why is Retired.ROTATED else "refused"
    left = [step["left"] for step in steps]
    # First nothing has happened, then it's decided and no daemon starts, then it's done.
    assert left == sorted(left, key=[before, "refused, decided", "rotated"].index)
    assert left.count("refused, decided") > 2 < left.count(before)
    for step in steps:
        assert step["mended"], step
        rack = settings_in(Path(step["folder"]))
        key = key_of(rack)
        [rotation] = key.ring.rotations
        assert rotation.retirement.why is why
        assert files_of(rack).public.read_bytes() == key.public_key_pem != old
        verify_certificate(certificate, key.ring)
        verify_ledger(rack.ledger.path, key.public_key_pem, key.ring)
        assert not files_of(rack).next_key.exists()
    # And it goes on selling, by the key that it has now.
    rack = settings_in(Path(steps[-1]["folder"]))
    verify_certificate(await sell(rack, SECOND), key_of(rack).ring)
