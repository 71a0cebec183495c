"""The example in docs/clear-providers.md is a provider, its test passes, its tables are right."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from benchd.devices.felica.providers.external_tool import TOOL_OPTIONS, external_tool
from benchd.domain.clear_provider import ClearOutcome

DOCUMENT = (Path(__file__).parents[3] / "docs" / "clear-providers.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"(?ms)^```{language}\n(.*?)^```$", DOCUMENT)


def test_the_example_passes_its_own_tests(tmp_path: Path) -> None:
    provider, its_test = blocks("python")
    (tmp_path / "kiosk.py").write_text(provider)
    (tmp_path / "test_kiosk.py").write_text(its_test)
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = -p no:cacheprovider\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "test_kiosk.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert re.search(r"^\d+ passed", done.stdout, re.MULTILINE)


def test_the_example_configuration_is_one(tmp_path: Path) -> None:
    options = tomllib.loads(blocks("toml")[0])["felica"]["providers"]["licensed_tool"]
    assert options.pop("kind") == "external_tool"
    external_tool("licensed_tool", options, tmp_path)()


def test_the_tables_name_all_that_there_is() -> None:
    assert [word for word in ClearOutcome if f"| `{word}` |" not in DOCUMENT] == []
    assert [option for option in TOOL_OPTIONS if f"`{option}`" not in DOCUMENT] == []
