"""Labels of real jobs: from the virtual rack's daemon to a printer on a cable, and to none."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import anyio
import pytest

from tests.papers.labels.zpl_reader import ReadLabel, read_zpl, scanned
from tests.rack.working import at_work, must_end_as_expected, scenarios

pytestmark = [
    pytest.mark.rack,
    pytest.mark.slow,
    pytest.mark.asyncio,
    pytest.mark.timeout(300),
    pytest.mark.skipif(shutil.which("zbarimg") is None, reason="zbar-tools isn't here"),
]

PRINTERS = """
[[printers]]
name = "cable"
kind = "usb"
device = "lp0"
auto = ["sellable", "hold", "return", "destroy"]

[[printers]]
name = "away"
kind = "usb"
device = "nothing_here"
auto = ["sellable", "hold", "return", "destroy"]
"""


async def labels_from(cable: int, count: int) -> list[bytes]:
    """What has come out of the cable; a label ends as ZPL has it."""
    got = b""
    with anyio.fail_after(60):
        while got.count(b"^XZ") < count:
            try:
                got += os.read(cable, 65536)
            except BlockingIOError:
                await anyio.wait_readable(cable)
            # Between two labels nobody holds the other end.
            await anyio.sleep(0.05)
    return [label + b"^XZ\n" for label in got.split(b"^XZ\n") if label]


async def test_each_handset_has_its_label_and_a_printer_that_is_away_costs_none(
    tmp_path: Path,
) -> None:
    jobs: dict[str, str] = {}
    labels: list[ReadLabel] = []
    async with at_work(tmp_path, scenarios(("clean", "mdm")), started=False) as rack:
        config = rack.folder.config
        config.write_text(config.read_text(encoding="utf-8") + PRINTERS, encoding="utf-8")
        os.mkfifo(config.parent / "lp0")
        cable = os.open(config.parent / "lp0", os.O_RDONLY | os.O_NONBLOCK)
        try:
            await rack.start_daemon()
            await must_end_as_expected(rack)
            slots = rack.watch.slots.values()
            jobs |= {str(slot["job"]): str(slot["disposition"]) for slot in slots}
            labels += [read_zpl(sent) for sent in await labels_from(cable, len(jobs))]
        finally:
            os.close(cable)
    assert sorted(jobs.values()) == ["return", "sellable"]
    read = [scanned(label.as_pbm(), tmp_path, "label.pbm") for label in labels]
    assert sorted(read) == sorted([f"QR-Code:BD:J:{job}"] for job in jobs)
    for label, (code,) in zip(labels, read, strict=True):
        top = label.dots[: label.row_bytes * (label.rows // 3)]
        black = sum(byte.bit_count() for byte in top) > len(top) * 4
        assert black is (jobs[code.removeprefix("QR-Code:BD:J:")] != "sellable")
    log = rack.folder.log.read_text(encoding="utf-8")
    assert '"printer_trouble"' in log
    assert log.count('"labels_left"') == 1
