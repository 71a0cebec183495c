"""What a retired key has signed beside certificates: it counts if the rotation names it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from benchd.certificate import SigningKey, load_key
from benchd.certificate.signed_pictures import sign_picture
from benchd.config import Settings
from benchd.config.fresh_pictures import text_of
from benchd.daemon.applied_settings import own_pictures
from benchd.daemon.rack_metrics import key_created
from benchd.daemon.system import SystemClock
from benchd.devices.felica.verdict.baselines import parse_baselines
from benchd.devices.felica.verdict.capture import signed_capture
from benchd.devices.felica.verdict.nodes import shipped_catalogue
from benchd.domain.chip import BaselineKind
from benchd.ledger import open_ledger
from benchd.signing.paper_keys import signer_of, signer_text
from tests.core.pictures import picture
from tests.daemon.rotated_rack import key_of, make_rack, rotated, sell, settings_in

pytestmark = pytest.mark.asyncio

CATALOGUE = shipped_catalogue()
BASELINE = """
[[baseline]]
name = "{name}"
version = 1
kind = "observed"
ic_types = ["18"]
provenance = "Model X: 未利用"

[[baseline.system]]
code = "FE00"
nodes = ["0000-FFFE"]
"""


def put_picture(settings: Settings, key: SigningKey, name: str, **changes: object) -> None:
    settings.fresh_folder.mkdir(exist_ok=True)
    file = settings.fresh_folder / f"{name}.picture.toml"
    file.write_text(text_of(sign_picture(picture(**changes), key)))


def captured(key: SigningKey, name: str) -> str:
    text = BASELINE.format(name=name).lstrip()
    return signed_capture(text, sign=key.sign, catalogue=CATALOGUE)


async def test_pictures_taken_before_count_and_forged_ones_do_not(tmp_path: Path) -> None:
    settings = make_rack(tmp_path)
    stolen = load_key(settings.certificate.key)
    put_picture(settings, stolen, "one")
    settings = settings_in(tmp_path)
    assert len(own_pictures(settings, key_of(settings)).all) == 1
    await rotated(settings)
    put_picture(settings, stolen, "two", build="TQ3B")
    settings = settings_in(tmp_path)
    assert len(settings.fresh_pictures) == 2
    [kept] = own_pictures(settings, key_of(settings)).all
    assert kept.picture.build == "TQ2A"
    await rotated(settings)
    assert len(own_pictures(settings, key_of(settings)).all) == 1


async def test_baselines_captured_before_count_in_the_readers_worker(tmp_path: Path) -> None:
    settings = make_rack(tmp_path)
    stolen = load_key(settings.certificate.key)
    texts = {name: captured(stolen, name) for name in ("before", "after")}
    (tmp_path / "before.toml").write_text(texts["before"])
    felica = replace(settings.felica, baselines=(tmp_path / "before.toml",))
    await rotated(replace(settings, felica=felica))
    key = key_of(settings)
    texts["new"] = captured(key, "new")
    signer = signer_of(signer_text(key.public_key_pem, key.ring))
    kinds = {
        name: parse_baselines(text, name, CATALOGUE, signer=signer)[0].kind
        for name, text in texts.items()
    }
    assert kinds == {
        "before": BaselineKind.OBSERVED,
        "after": BaselineKind.INFERRED,
        "new": BaselineKind.OBSERVED,
    }


async def test_the_age_of_the_key_is_that_of_the_last_rotation(tmp_path: Path) -> None:
    settings, clock = make_rack(tmp_path), SystemClock()
    await sell(settings, "20261124-A1-0001")
    key = key_of(settings)
    async with open_ledger(settings.ledger.path, head_key=key) as ledger:
        first = await ledger.entry_at(1)
        assert first is not None
        assert await key_created(key.ring, ledger, clock) == first.entry.at
    await rotated(settings)
    key = key_of(settings)
    async with open_ledger(settings.ledger.path, head_key=key, ring=key.ring) as ledger:
        created = await key_created(key.ring, ledger, clock)
    assert created == key.ring.rotations[0].retirement.at
    assert created > first.entry.at
