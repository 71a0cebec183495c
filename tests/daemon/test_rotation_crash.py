"""A rotation that is killed at any step is whole or hasn't happened, and the next one ends it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from benchd.certificate import verify_certificate
from benchd.ledger import verify_ledger
from benchd.signing.rotation import Retired
from tests.daemon.rotated_rack import files_of, key_of, make_rack, sell, settings_in

ROOT = Path(__file__).parents[2]

pytestmark = [pytest.mark.asyncio, pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.mark.parametrize(
    "why", [Retired.ROTATED, pytest.param(Retired.LOST, marks=pytest.mark.nightly)]
)
async def test_it_is_whole_wherever_it_was_killed(why: Retired, tmp_path: Path) -> None:
    folder = tmp_path / "rack"
    folder.mkdir()
    settings = make_rack(folder)
    certificate = await sell(settings, "20261124-A1-0001")
    old = files_of(settings).public.read_bytes()
    if why is Retired.LOST:
        files_of(settings).key.unlink()
    told = subprocess.run(
        [sys.executable, "-m", "tests.daemon.killed_rotation", folder, why.value],
        cwd=ROOT,
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
    verify_certificate(await sell(rack, "20261124-A1-0002"), key_of(rack).ring)
