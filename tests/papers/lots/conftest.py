"""A lot of every kind of handset, and its papers."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from benchd.certificate import SigningKey
from benchd.domain.ids import Evidence
from tests.papers.lots.lot_rack import LotRack

HOSTILE = "=1+1|../../x"


@pytest.fixture
def rack(key: SigningKey, statement: Evidence, tmp_path: Path) -> LotRack:
    return LotRack(key, statement, tmp_path)


def fill(rack: LotRack) -> None:
    """Two sold, one of them under a hostile tag; one failed; one dead; one runs; one never came."""
    rack.lot("L-1", "T-1", HOSTILE, "T-3", "T-4", "T-5", "T-6")
    rack.sell(1, "T-1")
    rack.sell(2, HOSTILE)
    rack.fail(3, "T-3", reason="felica_residue", disposition="destroy")
    rack.told.dead("T-4")
    rack.begin(5, "T-5")


@pytest.fixture(scope="session")
def papers(key: SigningKey, statement: Evidence, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ZIP that tests read and never change."""
    rack = LotRack(key, statement, tmp_path_factory.mktemp("lot"))
    fill(rack)
    return anyio.run(rack.zipped)
