"""A fill program that isn't there is told of when the daemon starts, not in the middle of a job."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from benchd.config import Settings, load_settings
from benchd.daemon.composition import run_daemon
from benchd.devices.android import filler
from benchd.devices.android.filler import ABIS, Program, built_path
from benchd.domain.errors import DependencyMissing
from benchd.hotplug import UdevHotplug

pytestmark = pytest.mark.asyncio

RECIPES = Path(__file__).parents[2] / "configs" / "recipes"


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for fill programs, as empty as that of a checkout nothing was built in."""
    monkeypatch.setattr(filler, "SOURCE_FOLDER", tmp_path)
    folder = tmp_path / "bin"
    folder.mkdir()
    return folder


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A rack without a signing key: what gets past the programs stops there."""
    file = tmp_path / "benchd.toml"
    file.write_text(
        f'[site]\nname = "店"\n[recipes]\ndirectory = "{RECIPES}"\n[certificate]\nkey = "no.pem"\n',
        encoding="utf-8",
    )
    return load_settings(file)


async def refusal(settings: Settings, *, usb: bool = True) -> DependencyMissing:
    with pytest.raises(DependencyMissing) as refused:
        await run_daemon(settings, UdevHotplug(), usb=usb)
    return refused.value


async def test_a_checkout_without_any_program_does_not_start(
    programs: Path, settings: Settings
) -> None:
    refused = await refusal(settings)
    assert refused.exit_code == 3
    assert str(programs) in refused.message
    assert refused.cure.endswith("python -m benchd.devices.android.filler.build")


@pytest.mark.parametrize("usb", [True, False])
async def test_a_checkout_with_one_program_starts_and_tells_of_the_others(
    programs: Path, settings: Settings, usb: bool
) -> None:
    for program in Program:
        built_path("amd64", program).touch()
    with capture_logs() as logs:
        refused = await refusal(settings, usb=usb)
    assert "benchd key create" in refused.cure
    told = [(line["event"], line["abis"]) for line in logs]
    assert told == ([("fill_program_missing", ("arm64", "arm", "386"))] if usb else [])


@pytest.mark.parametrize("lost", Program)
async def test_an_installed_wheel_without_one_of_its_programs_does_not_start(
    programs: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch, lost: Program
) -> None:
    names = [f"{program}-{abi}" for abi in ABIS for program in Program]
    shipped = [metadata.PackagePath(f"benchd/devices/android/filler/bin/{name}") for name in names]
    monkeypatch.setattr(metadata, "files", lambda _name: shipped)
    for name in names:
        (programs / name).touch()
    assert "benchd key create" in (await refusal(settings)).cure
    built_path("arm64", lost).unlink()
    refused = await refusal(settings)
    assert "arm64" in refused.message
    assert refused.cure.endswith("scripts/install")
