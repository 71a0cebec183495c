"""The daemon and `benchd felica` on a rack with readers, from a configuration file."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from subprocess import CompletedProcess

import anyio
import httpx2
import pytest
from reader_rack import ReaderRack, card, reader_rack

from benchd.certificate import create_key
from benchd.config import Settings, load_settings
from benchd.daemon.composition import chip_access, run_daemon
from benchd.devices.felica.chip_access import PcscChipAccess
from benchd.lab.simulator.chips.chip_plan import ReaderFaults
from benchd.slots.parts import NoReaders
from tests.free_port import free_port
from tests.nothing_plugged import NothingPlugged
from tests.patience import PATIENCE_S

pytestmark = [pytest.mark.asyncio, pytest.mark.rack, pytest.mark.timeout(240)]

BENCHD = Path(sys.executable).with_name("benchd")
RECIPE = """\
name = "overwrite"
description_ja = "調べる"
description_en = "Look"

[[stage]]
name = "inspect"
deadline_s = 60
attempts = 1
"""
CONFIG = """\
[site]
name = "Example"
[adb]
socket = "adb.sock"
home = "adb"
[ledger]
path = "ledger.sqlite"
[certificate]
key = "key.pem"
directory = "certificates"
[http]
socket = "benchd.sock"
listen = "127.0.0.1:{http}"
[felica]
pcscd = {sockets}
baselines = {baselines}
"""


def configured(folder: Path, rack: ReaderRack, *baselines: str) -> Path:
    """A configuration for this rack, with its key and its recipe."""
    sockets = dict.fromkeys(str(at.socket) for at in rack.house.readers.values())
    text = CONFIG.format(
        http=free_port(),
        sockets=json.dumps(list(sockets)),
        baselines=json.dumps(list(baselines)),
    )
    for slot, at in rack.house.readers.items():
        port = f"pci-0000:03:00.0-usb-0:1.{slot}"
        text += f'[slots.S{slot}]\nport = "{port}"\nreader = {json.dumps(at.name)}\n'
    file = folder / "benchd.toml"
    file.write_text(text)
    if not (folder / "recipes").exists():
        (folder / "recipes").mkdir()
        (folder / "recipes" / "overwrite.toml").write_text(RECIPE)
        create_key(folder / "key.pem")
    return file


async def benchd(*arguments: str, language: str = "C.UTF-8") -> CompletedProcess[str]:
    with anyio.fail_after(90):
        done = await anyio.run_process(
            [str(BENCHD), "felica", *arguments],
            check=False,
            env={"PATH": os.environ["PATH"], "LANG": language, "COLUMNS": "120"},
        )
    return CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


async def test_scan_tells_a_person_and_a_script_what_the_readers_see(tmp_path: Path) -> None:
    async with reader_rack(card(1), card(2, "cleared")) as rack:
        config = str(configured(tmp_path, rack))
        both = await benchd("scan", "--config", config, language="ja_JP.UTF-8")
        assert both.returncode == 1, both.stderr
        assert "データが残っています" in both.stdout
        assert "Suica" in both.stdout
        one = await benchd("scan", "--config", config, "--slot", "S2", "--json")
        assert one.returncode == 0, one.stderr
        (slot,) = json.loads(one.stdout)["slots"]
        assert (slot["slot"], slot["verdict"], slot["passes"]) == ("S2", "unused", 2)
        assert "proves nothing" in slot["text"]["what_to_do"]["en"]
        idms = [(await rack.truth(slot)).idm for slot in (1, 2)]
        assert not [idm for idm in idms if idm in (both.stdout + one.stdout).lower()]


async def test_a_reader_that_is_away_or_hangs_is_told_and_exits_with_three(
    tmp_path: Path,
) -> None:
    async with reader_rack(card(1, "cleared"), card(2, "cleared")) as rack:
        config = str(configured(tmp_path, rack))
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


async def test_a_slot_without_a_reader_is_refused(tmp_path: Path) -> None:
    async with reader_rack(card(1)) as rack:
        config = str(configured(tmp_path, rack))
        refused = await benchd("scan", "--config", config, "--slot", "S9")
        assert refused.returncode == 1
        assert "no slot S9 with a reader" in refused.stderr


async def test_a_captured_baseline_is_what_the_next_scan_is_compared_with(tmp_path: Path) -> None:
    async with reader_rack(card(1, "cleared"), card(2)) as rack:
        config = str(configured(tmp_path, rack))
        named = ("--name", "mine", "--model", "SO-51B", "--config", config)
        mine = str(tmp_path / "mine.toml")
        made = await benchd("capture", mine, "--slot", "S1", "--screen", "未利用", *named)
        assert made.returncode == 0, made.stderr
        config = str(configured(tmp_path, rack, "mine.toml"))
        scan = await benchd("scan", "--config", config, "--slot", "S1", "--json")
        (slot,) = json.loads(scan.stdout)["slots"]
        assert (slot["verdict"], slot["baseline"], slot["baseline_kind"]) == (
            "unused",
            "mine v1",
            "observed",
        )
        for more in (("S1", "利用中"), ("S2", "未利用")):
            other = str(tmp_path / "other.toml")
            refused = await benchd("capture", other, "--slot", more[0], "--screen", more[1], *named)
            assert refused.returncode == 2, refused.stderr
            assert not Path(other).exists()


async def test_the_daemon_tells_prometheus_which_readers_answer(tmp_path: Path) -> None:
    async with reader_rack(card(1)) as rack:
        settings = load_settings(configured(tmp_path, rack))
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(daemon, settings)
            await until_metric(settings, 'benchd_reader_up{slot="S1"} 1.0')
            await rack.chips.kill_pcscd()
            await until_metric(settings, 'benchd_reader_up{slot="S1"} 0.0')
            await rack.chips.start_pcscd()
            await until_metric(settings, 'benchd_reader_up{slot="S1"} 1.0')
            tasks.cancel_scope.cancel()


async def test_without_readers_and_rules_nothing_reaches_chips(tmp_path: Path) -> None:
    async with reader_rack(readers=2) as rack:
        settings = load_settings(configured(tmp_path, rack))
        key = create_key(tmp_path / "other.pem")
        assert isinstance(chip_access(settings, key), PcscChipAccess)
        config = configured(tmp_path, rack)
        config.write_text(config.read_text().partition("[slots.")[0])
        assert isinstance(chip_access(load_settings(config), key), NoReaders)


async def daemon(settings: Settings) -> None:
    await run_daemon(settings, NothingPlugged(), usb=False)


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
