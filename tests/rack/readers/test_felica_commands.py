"""The daemon and `benchd felica` on a rack with readers, from a configuration file."""

from __future__ import annotations

import json
import os
from pathlib import Path
from subprocess import CompletedProcess

import anyio
import httpx2
import pytest
from reader_rack import ReaderRack, card, reader_rack

from benchd.certificate import create_key
from benchd.config import Settings, load_settings
from benchd.daemon.composition import chip_access
from benchd.devices.felica.chip_access import PcscChipAccess
from benchd.lab.simulator.chips.chip_plan import ReaderFaults
from benchd.signing.fleet_chips import fleet_chip_of
from benchd.slots.slot_dependencies import NoReaders
from tests.patience import PATIENCE_S
from tests.program import BENCHD
from tests.rack.daemon_here import configured, running_daemon

pytestmark = [pytest.mark.asyncio, pytest.mark.rack, pytest.mark.timeout(240)]


def configured_for(folder: Path, rack: ReaderRack, *baselines: str) -> Path:
    """A configuration for this rack."""
    sockets = dict.fromkeys(str(at.socket) for at in rack.house.readers.values())
    text = felica(list(sockets), list(baselines))
    for slot, at in rack.house.readers.items():
        port = f"pci-0000:03:00.0-usb-0:1.{slot}"
        text += f'[slots.S{slot}]\nport = "{port}"\nreader = {json.dumps(at.name)}\n'
    return configured(folder, tables=text)


def felica(sockets: list[str], baselines: list[str]) -> str:
    told = f"pcscd = {json.dumps(sockets)}\nbaselines = {json.dumps(baselines)}"
    return f"[felica]\n{told}\n"


async def benchd(*arguments: str, language: str = "C.UTF-8") -> CompletedProcess[str]:
    with anyio.fail_after(90):
        done = await anyio.run_process(
            [*BENCHD, "felica", *arguments],
            check=False,
            env={"PATH": os.environ["PATH"], "LANG": language, "COLUMNS": "120"},
        )
    return CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


async def test_scan_and_capture_tell_a_person_and_a_script_what_the_readers_see(
    tmp_path: Path,
) -> None:
    async with reader_rack(card(1), card(2, "cleared")) as rack:
        config = str(configured_for(tmp_path, rack))
        both = await benchd("scan", "--config", config, language="ja_JP.UTF-8")
        assert both.returncode == 1, both.stderr
        assert "データが残っています" in both.stdout
        assert "Suica" in both.stdout
        single = await benchd("scan", "--config", config, "--slot", "S2", "--json")
        assert single.returncode == 0, single.stderr
        (slot,) = json.loads(single.stdout)["slots"]
        assert (slot["slot"], slot["verdict"], slot["passes"]) == ("S2", "unused", 2)
        assert "proves nothing" in slot["text"]["what_to_do"]["en"]
        idms = [(await rack.truth(slot)).idm for slot in (1, 2)]
        assert not [idm for idm in idms if idm in (both.stdout + single.stdout).lower()]
        refused = await benchd("scan", "--config", config, "--slot", "S9")
        assert refused.returncode == 1
        assert "no slot S9 with a reader" in refused.stderr
        await captured(tmp_path, rack, config)
        # A reader that hangs or is away is told, and exits with three.
        await rack.chips.set_faults(1, ReaderFaults(hang=True))
        hanging = await benchd("scan", "--config", config, "--json")
        assert hanging.returncode == 3
        one, two = json.loads(hanging.stdout)["slots"]
        assert (one["verdict"], two["verdict"]) == (None, "unused")
        assert one["text"]["en"] == "The reader doesn't answer"
        await rack.chips.kill_pcscd()
        away = await benchd("scan", "--config", config)
        assert away.returncode == 3
        assert "The reader isn't there" in away.stdout


async def test_racks_that_share_a_secret_name_one_chip_alike(tmp_path: Path) -> None:
    """From the configuration through the readers' own processes, and back."""
    seen: list[tuple[str, str | None]] = []
    async with reader_rack(card(1)) as rack:
        idm = bytes.fromhex((await rack.truth(1)).idm)
        for name, secret in (("one", b"\7" * 32), ("two", b"\7" * 32), ("three", None)):
            folder = tmp_path / name
            folder.mkdir()
            config = configured_for(folder, rack)
            if secret is not None:
                (folder / "chips").write_text(secret.hex())
                config.write_text(f'{config.read_text()}\n[fleet]\nchip_secret = "chips"\n')
            scan = await benchd("scan", "--config", str(config), "--slot", "S1", "--json")
            [slot] = json.loads(scan.stdout)["slots"]
            seen.append((slot["chip"], slot["fleet_chip"]))
    (own, shared), (other_own, other_shared), (_, without) = seen
    assert own != other_own
    assert shared == other_shared == fleet_chip_of(b"\7" * 32, idm)
    assert without is None


async def captured(folder: Path, rack: ReaderRack, config: str) -> None:
    """What the next scan is compared with; no baseline is taken of a chip that is in use."""
    named = ("--name", "mine", "--model", "SO-51B", "--config", config)
    mine = str(folder / "mine.toml")
    made = await benchd("capture", mine, "--slot", "S2", "--screen", "未利用", *named)
    assert made.returncode == 0, made.stderr
    configured_for(folder, rack, "mine.toml")
    scan = await benchd("scan", "--config", config, "--slot", "S2", "--json")
    (slot,) = json.loads(scan.stdout)["slots"]
    assert (slot["verdict"], slot["baseline"], slot["baseline_kind"]) == (
        "unused",
        "mine v1",
        "observed",
    )
    for more in (("S2", "利用中"), ("S1", "未利用")):
        other = str(folder / "other.toml")
        refused = await benchd("capture", other, "--slot", more[0], "--screen", more[1], *named)
        assert refused.returncode == 2, refused.stderr
        assert not Path(other).exists()


async def test_the_daemon_tells_prometheus_which_readers_answer(tmp_path: Path) -> None:
    async with reader_rack(card(1)) as rack:
        config = configured_for(tmp_path, rack)
        settings = load_settings(config)
        async with running_daemon(config):
            await until_metric(settings, 'benchd_reader_up{slot="S1"} 1.0')
            await rack.chips.kill_pcscd()
            await until_metric(settings, 'benchd_reader_up{slot="S1"} 0.0')
            await rack.chips.start_pcscd()
            await until_metric(settings, 'benchd_reader_up{slot="S1"} 1.0')
        # Without readers and rules nothing reaches chips.
        key = create_key(tmp_path / "other.pem")
        assert isinstance(chip_access(settings, key, None), PcscChipAccess)
        config.write_text(config.read_text().partition("[slots.")[0])
        assert isinstance(chip_access(load_settings(config), key, None), NoReaders)


async def until_metric(settings: Settings, line: str) -> None:
    """Nobody announces that a metric has changed."""
    url = f"http://{settings.http.listen}/metrics"
    async with httpx2.AsyncClient(trust_env=False, timeout=PATIENCE_S) as client:
        with anyio.fail_after(60):
            while line not in await metrics(client, url):  # noqa: ASYNC110 - see above
                await anyio.sleep(0.1)


async def metrics(client: httpx2.AsyncClient, url: str) -> str:
    try:
        return (await client.get(url)).text
    except httpx2.TransportError:
        return ""
