from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from chip_model import EDY, IN_USE, PHONE_PMM, ROOT, UNUSED, ModelChip, ModelField
from scan_rig import CATALOGUE, SIGNER, scan, signed, survey

from benchd.devices.felica.protocol.chip_errors import DataFileInvalid
from benchd.devices.felica.verdict.baselines import load_baselines
from benchd.devices.felica.verdict.capture import capture_baseline
from benchd.devices.felica.verdict.scan import Survey
from benchd.domain.chip import BaselineKind, ChipVerdict
from benchd.domain.errors import UsageRefused

OWN_AREA = {**UNUSED, 0xFE00: (ROOT, (0x9040, 0x907F), 0x9048)}


def capture(found: Survey, **label: str) -> str:
    values = {"name": "model-x", "model": "Model X", "screen": "未利用", **label}
    return capture_baseline(found, seen_on=date(2026, 11, 24), catalogue=CATALOGUE, **values)


def test_what_was_captured_is_the_baseline_of_the_same_chip(tmp_path: Path) -> None:
    chip = ModelChip(systems=dict(OWN_AREA))
    assert scan(ModelField([chip])).verdict is ChipVerdict.IN_USE
    path = tmp_path / "captured.toml"
    path.write_text(signed(capture(survey(ModelField([chip])), model='Model "X" \\ 五')))
    baselines = load_baselines(CATALOGUE, [path], signer=SIGNER)
    found = scan(ModelField([chip]), baselines=baselines)
    assert found.verdict is ChipVerdict.UNUSED
    assert (found.baseline, found.baseline_kind) == ("model-x v1", BaselineKind.OBSERVED)
    (captured,) = [baseline for baseline in baselines.all if baseline.name == "model-x"]
    assert captured.provenance == 'Model "X" \\ 五, whose screen said 未利用, on 2026-11-24'
    assert captured.ic_types == {PHONE_PMM[1]}
    assert captured.optional == frozenset()
    assert chip.serial.hex() not in path.read_text().lower()
    more = ModelChip(systems={**OWN_AREA, 0xFE00: (*OWN_AREA[0xFE00], 0x9088)})
    assert scan(ModelField([more]), baselines=baselines).verdict is ChipVerdict.IN_USE


@pytest.mark.parametrize("screen", ["利用中", "In use", "", "未利用ではない"])
def test_only_a_handset_that_says_unused_makes_a_baseline(screen: str) -> None:
    with pytest.raises(UsageRefused, match="whose screen says 未利用 or Unused"):
        capture(survey(ModelField([ModelChip()])), screen=screen)


@pytest.mark.parametrize("model", ["", " ", "x" * 129, "Model\nX", "Model\x1b[2J"])
def test_a_label_that_cannot_be_kept(model: str) -> None:
    with pytest.raises(UsageRefused, match="printable characters"):
        capture(survey(ModelField([ModelChip()])), model=model)


def test_a_name_that_is_none() -> None:
    with pytest.raises(DataFileInvalid, match="name"):
        capture(survey(ModelField([ModelChip()])), name='x"\n[[baseline]]')


def test_a_chip_in_use_makes_no_baseline_whatever_its_screen_says() -> None:
    with pytest.raises(DataFileInvalid, match="FE00/110B is a node of Edy"):
        capture(survey(ModelField([ModelChip(systems={0xFE00: EDY})])))
    with pytest.raises(DataFileInvalid, match="is a node of Japanese transit cards"):
        capture(survey(ModelField([ModelChip(systems=dict(IN_USE))])))


@pytest.mark.parametrize(
    "found",
    [
        pytest.param(lambda: survey(ModelField()), id="silence"),
        pytest.param(lambda: survey(ModelField([ModelChip()]), passes=1), id="one look"),
        pytest.param(lambda: survey(ModelField([ModelChip()]), power_cycle=False), id="field on"),
        pytest.param(
            lambda: survey(ModelField([ModelChip(commands=frozenset({0x00, 0x02, 0x0C}))])),
            id="nodes by name only",
        ),
        pytest.param(
            lambda: survey(ModelField([ModelChip(commands=frozenset({0x00, 0x0C, 0x1A, 0x02}))])),
            id="one system not whole",
        ),
    ],
)
def test_a_survey_that_carries_no_baseline(found: Callable[[], Survey]) -> None:
    with pytest.raises(UsageRefused):
        capture(found())
