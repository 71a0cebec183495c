"""What the daemon of a crowd reads: its configuration, the shipped recipe, its keys."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Final

from benchd.certificate import create_key
from benchd.lab import benchmarks
from benchd.lab.benchmarks.crowd.crowd_chips import reader_name
from benchd.lab.benchmarks.crowd.places import ADB_SOCKET, CHIP_SOCKET, slot_name
from benchd.lab.demo.demo_folder import DemoFolder
from benchd.lab.simulator.addresses import port_path
from benchd.lab.simulator.chips import BASELINE

SETTLE_S: Final = 0.2
LAUNCHER: Final = "python"

_CONFIG: Final = """\
# Made by `benchd bench crowd`: nothing in here is a real handset, and nothing is proven.
[site]
name = "crowd (simulated, proves nothing about a real handset)"

[rack]
recipe = "overwrite"
settle_s = {settle_s}

[adb]
server = "external"
socket = {adb}

[ledger]
path = "ledger.sqlite"

[certificate]
key = "certificate_key.pem"
directory = "certificates"

[dossiers]
directory = "dossiers"

[http]
socket = "benchd.sock"
listen = "127.0.0.1:{http_port}"
anonymous = "read"

[recipes]
directory = "recipes"

[felica]
pcscd = [{chips}]
# True of no real chip.
baselines = [{baseline}]
accept_simulated = true
"""
_SLOT: Final = """
[slots.{name}]
port = {port}
reader = {reader}
"""
_LAUNCHER: Final = """\
#!/bin/sh
# What the daemon starts for its readers is the crowd's FAKE worker; all else is Python.
if [ "$1 $2" = "-m benchd.devices.felica.worker" ]; then
    exec {python} -m benchd.lab.benchmarks.crowd.fake_worker
fi
exec {python} "$@"
"""


def make_folder(path: Path, *, slots: int, http_port: int, crowd: Path, python: str) -> DemoFolder:
    """Write it; `crowd` is the folder with the crowd's sockets."""
    folder = DemoFolder(path=path)
    (path / "recipes").mkdir(parents=True)
    text = _CONFIG.format(
        settle_s=SETTLE_S,
        adb=json.dumps(str(crowd / ADB_SOCKET)),
        http_port=http_port,
        chips=json.dumps(str(crowd / CHIP_SOCKET)),
        baseline=json.dumps(str(BASELINE)),
    )
    for number in range(1, slots + 1):
        text += _SLOT.format(
            name=slot_name(number),
            port=json.dumps(port_path(number)),
            reader=json.dumps(reader_name(number)),
        )
    folder.config.write_text(text, encoding="utf-8")
    shipped = Path(str(files(benchmarks))).parents[2] / "configs" / "recipes" / "overwrite.toml"
    (path / "recipes" / "overwrite.toml").write_text(
        shipped.read_text(encoding="utf-8"), encoding="utf-8"
    )
    create_key(path / "certificate_key.pem")
    launcher = path / LAUNCHER
    launcher.write_text(_LAUNCHER.format(python=python), encoding="utf-8")
    launcher.chmod(0o755)
    return folder
