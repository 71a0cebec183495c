"""The example of docs/extending.md is a stage."""

from __future__ import annotations

import re
import sys
from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from textwrap import dedent

import pytest

from benchd.config.stages import table_of
from benchd.domain import job
from benchd.pipelines.stage_contract import Stage

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs" / "extending.md").read_text()


@contextmanager
def stage_of_the_page(folder: Path) -> Generator[type[Stage]]:
    """The example as a module; afterwards neither it nor its name is known any more."""
    found = re.search(r"```python\n(.*?)```", TEXT, re.DOTALL)
    assert found is not None
    (folder / "cool_down_of_the_docs.py").write_text(dedent(found[1]))
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(folder)
        patched.setattr(job, "_STAGE_NAMES", dict(job._STAGE_NAMES))
        yield import_module("cool_down_of_the_docs").CoolDownStage
    del sys.modules["cool_down_of_the_docs"]


def test_the_example_is_a_stage_and_leaves_no_name_behind(tmp_path: Path) -> None:
    names = set(job._STAGE_NAMES)
    with stage_of_the_page(tmp_path) as stage:
        assert stage.describes.name == "cool_down"
        assert table_of(stage).model_fields.keys() == {
            *("name", "deadline_s", "attempts"),
            *("cool_below_c", "cool_within_s", "look_every_s"),
        }
    assert set(job._STAGE_NAMES) == names
