"""What the read model's tests share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from records_rack import Told

from benchd.ledger.records.read_model import ReadModel


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def model(tmp_path: Path) -> Iterator[ReadModel]:
    made = ReadModel(tmp_path / "records.sqlite")
    yield made
    made.close()
