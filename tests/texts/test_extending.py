"""docs/extending.md names places that there are, and its example is a stage."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path
from textwrap import dedent

import pytest

from benchd.config.stages import table_of

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "extending.md").read_text()
PLACES = sorted(set(re.findall(r"`((?:benchd|configs|tests|docs)/[^`\s]*)`", TEXT)))


@pytest.mark.parametrize("place", PLACES)
def test_every_place_is_there(place: str) -> None:
    assert (ROOT / place).exists()


def test_the_example_is_a_stage_but_for_its_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = re.search(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert found is not None
    code = dedent(found[1]).replace("StageName.COOL_DOWN", "StageName.INSPECT")
    (tmp_path / "cool_down_of_the_docs.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    stage = import_module("cool_down_of_the_docs").CoolDownStage
    assert table_of(stage).model_fields.keys() == {
        *("name", "deadline_s", "attempts"),
        *("cool_below_c", "cool_within_s", "look_every_s"),
    }
