"""A rotation that is refused, cut short or begun twice: what lies beside the key then."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from benchd.certificate import verify_certificate
from benchd.config.fresh_pictures import TAKINGS
from benchd.daemon import key_rotation
from benchd.domain.errors import UsageRefused
from benchd.people.person_secrets import PURPOSE
from benchd.signing.key_store import KeyFiles
from benchd.signing.rack_secrets import CHIP_SALT, PICTURE_MARKS, RackSecrets
from benchd.signing.rotation import Retired
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
    genuine = key_rotation.replace_file

    def replace(path: Path, data: bytes) -> None:
        genuine(path, data)
        if path.name.startswith(last.name):
            raise Cut

    with monkeypatch.context() as patch:
        patch.setattr(key_rotation, "replace_file", replace)
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


@pytest.mark.parametrize("ends", ["refused", "cut"])
@pytest.mark.parametrize("why", [Retired.LOST, Retired.ROTATED])
async def test_one_that_is_not_decided_leaves_chips_badges_and_pictures_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: Retired, ends: str
) -> None:
    settings = make_rack(tmp_path)
    files = files_of(settings)
    await sell(settings, JOBS[0])
    purposes = (CHIP_SALT, PURPOSE, PICTURE_MARKS, b"one of later")
    before = [key_of(settings).derive(one) for one in purposes]
    away = files.key.rename(tmp_path / "found.pem") if why is Retired.LOST else files.key
    bad = settings.fresh_folder / TAKINGS.replace("*", "x")
    bad.parent.mkdir(exist_ok=True)
    keep = key_rotation._keep

    def cut(of: KeyFiles, path: Path, data: bytes, mode: int) -> None:
        if path == files.next_ring:
            raise Cut
        keep(of, path, data, mode)

    if ends == "refused":
        bad.write_text("half a file")
        with pytest.raises(UsageRefused):
            await rotated(settings, why)
        bad.unlink()
    else:
        with monkeypatch.context() as patch:
            patch.setattr(key_rotation, "_keep", cut)
            with pytest.raises(Cut):
                await rotated(settings, why)
    # The key is found again.
    away.rename(files.key)
    key = key_of(settings)
    assert not key.ring.rotations
    assert [key.derive(one) for one in purposes] == before
    # What is left of it is in nobody's way.
    await rotated(settings)
    assert [key_of(settings).derive(one) for one in purposes[:-1]] == before[:-1]
    names = {file.name for file in tmp_path.glob("key.pem*")}
    assert names == {"key.pem", "key.pem.pub", "key.pem.ring", "key.pem.secrets"}


async def test_secrets_of_a_rotation_that_never_was_take_no_others_place(tmp_path: Path) -> None:
    settings = make_rack(tmp_path)
    files = files_of(settings)
    await rotated(settings)
    before = files.secrets.read_bytes()
    left = files.secrets.with_name(files.secrets.name + ".next")
    left.write_bytes(RackSecrets(seed=bytes(32), known={}).encode())
    left.chmod(0o600)
    await rotated(settings)
    assert files.secrets.read_bytes() == before
    assert not left.exists()


@pytest.mark.parametrize("step", ["witnesses_of", "_decide", "_record", "_take_secrets"])
async def test_a_second_one_waits_its_turn_at_every_step_of_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    settings = make_rack(tmp_path)
    certificate = await sell(settings, JOBS[0])
    genuine: Callable[..., Any] = getattr(key_rotation, step)
    refused: list[str] = []

    def meanwhile(*told: Any) -> Any:  # noqa: ANN401 - whatever the step takes and gives
        with monkeypatch.context() as patch:
            patch.setattr(key_rotation, step, genuine)
            with pytest.raises(UsageRefused) as caught:
                anyio.run(rotated, settings)
        refused.append(str(caught.value))
        return genuine(*told)

    async def meanwhile_async(*told: Any) -> Any:  # noqa: ANN401 - the same
        with pytest.raises(UsageRefused) as caught:
            await rotated(settings)
        refused.append(str(caught.value))
        return await genuine(*told)

    with monkeypatch.context() as patch:
        patch.setattr(key_rotation, step, meanwhile_async if step == "witnesses_of" else meanwhile)
        await rotated(settings)
    assert [text for text in refused if "another rotation" in text] == refused != []
    key = key_of(settings)
    assert len(key.ring.rotations) == 1
    assert files_of(settings).public.read_bytes() == key.public_key_pem
    verify_certificate(certificate, key.ring)
    # Afterwards it may.
    await rotated(settings)
    assert len(key_of(settings).ring.rotations) == 2
