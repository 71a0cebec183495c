"""What handsets have answered, read as `benchd handset read` reads a dossier."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from handset_fakes import SEEN

from benchd.devices.android.dossier.folder import read_folder
from benchd.devices.android.dossier.replay import replay


@pytest.mark.parametrize("seen", SEEN, ids=lambda seen: seen["name"])
def test_each_answer_that_was_seen_is_read_right_or_held_with_its_reason(
    seen: dict[str, Any], tmp_path: Path
) -> None:
    for question, text in seen["told"].items():
        (tmp_path / f"{question}.txt").write_text(text)
    for question, status in seen.get("status", {}).items():
        (tmp_path / f"{question}.status").write_text(f"{status}\n")
    found = replay(read_folder(tmp_path))
    assert [refusal.command for refusal in found.refused] == seen.get("refused", [])
    told = {
        name: list(fact) if isinstance(fact, tuple) else fact
        for name, fact in found.facts.items()
        if fact is not None
    }
    assert told == {**told, **seen.get("facts", {})}
    assert list(map(str, found.findings)) == seen["held"]
    assert seen.get("facts", {}).keys() >= told.keys() - {"telephony", "user_ids", "user_kinds"}
