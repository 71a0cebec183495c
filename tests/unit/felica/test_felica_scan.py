from __future__ import annotations

from chip_model import (
    CARD_PMM,
    EDY,
    IN_USE,
    OLD_COMMANDS,
    OLD_PMM,
    ROOT,
    ModelChip,
    ModelField,
)

from benchd.felica.baselines import Baselines, load_baselines
from benchd.felica.nodes import shipped_catalogue
from benchd.felica.scan import scan_chip
from benchd.model import BaselineKind, ChipScan, ChipVerdict

CATALOGUE = shipped_catalogue()
BASELINES = load_baselines(CATALOGUE)


def scan(
    field: ModelField,
    *,
    baselines: Baselines = BASELINES,
    passes: int = 2,
    power_cycle: bool = True,
) -> ChipScan:
    return scan_chip(
        field,
        catalogue=CATALOGUE,
        baselines=baselines,
        identify=lambda idm: idm.hex(),
        passes=passes,
        power_cycle=power_cycle,
        reader="Model Reader",
        clock=field.clock,
    )


def test_unused_chip() -> None:
    field = ModelField([ModelChip()])
    found = scan(field)
    assert found.verdict is ChipVerdict.UNUSED, found
    assert found.baseline_kind is BaselineKind.INFERRED
    assert found.passes == 2
    assert field.power_cycles == 1


def test_chip_in_use() -> None:
    found = scan(ModelField([ModelChip(systems=dict(IN_USE))]))
    assert found.verdict is ChipVerdict.IN_USE, found
    assert "楽天Edy" in found.owners_ja


def test_old_chip() -> None:
    old = ModelChip(systems={0xFE00: (ROOT,)}, pmm=OLD_PMM, commands=OLD_COMMANDS)
    assert scan(ModelField([old])).verdict is ChipVerdict.UNUSED
    old.systems[0xFE00] = EDY
    assert scan(ModelField([old])).verdict is ChipVerdict.IN_USE


def test_silence() -> None:
    assert scan(ModelField()).verdict is ChipVerdict.SILENT


def test_card() -> None:
    found = scan(ModelField([ModelChip(pmm=CARD_PMM)]))
    assert found.verdict is ChipVerdict.UNREADABLE
    assert found.detail.startswith("a card, not a handset's chip")
