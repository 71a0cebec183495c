"""Ten minutes of `benchd demo --slots 28`, scraped by a real Prometheus.

The handsets of a demo are done within two minutes and nobody puts in others, so that it is begun
anew as soon as that has passed: to Prometheus a daemon that was restarted with new handsets.
"""

from __future__ import annotations

import signal
import sys
import time
from pathlib import Path
from subprocess import DEVNULL, STDOUT
from typing import Final

import anyio
import httpx2

from benchd.lab.dashboards.drawing.prometheus import free_port, prometheus

_SLOTS: Final = 28
_LASTS_S: Final = 570.0
_ONE_DEMO_S: Final = 105.0
_ENDS_WITHIN_S: Final = 30.0
_BENCHD: Final = Path(sys.executable).parent / "benchd"
_RULES: Final = Path(__file__).parents[4] / "configs" / "prometheus" / "rules"
_CONFIG: Final = """\
global: {{scrape_interval: 5s, evaluation_interval: 5s}}
rule_files:
  - "{rules}/rack.yml"
  - "{rules}/service.yml"
  - "{rules}/compared.yml"
  - "{rules}/recorded.yml"
scrape_configs:
  - job_name: benchd
    static_configs: [{{targets: ["127.0.0.1:{port}"], labels: {{site: demo, rack: rack-1}}}}]
"""


async def gather(folder: Path) -> float:
    """Scrape for ten minutes into `folder/series`; until when, in seconds since 1970.

    Raises:
        TimeoutError: Prometheus didn't begin, or no demo got under way any more.
    """
    port = free_port()
    config = _CONFIG.format(rules=_RULES, port=port)
    until = 0.0
    async with prometheus(folder, config) as client, anyio.create_task_group() as group:
        group.start_soon(_again_and_again, folder, port)
        await anyio.sleep(_LASTS_S)
        with anyio.fail_after(2 * _ONE_DEMO_S + _ENDS_WITHIN_S):
            while not await _in_full_swing(client):  # noqa: ASYNC110 - only asking tells
                await anyio.sleep(1)
        # The demo takes its time to end, and is silent meanwhile.
        until = time.time()
        group.cancel_scope.cancel()
    return until


async def _in_full_swing(client: httpx2.AsyncClient) -> bool:
    """Whether a demo is in the middle of its handsets, not at its end or between two."""
    busy = f'sum (benchd_slot_state{{state="running"}}) > {_SLOTS // 2}'
    # Rules are evaluated some seconds after a scrape.
    asked = {"query": f"{busy} and on () instance:benchd_watched:up"}
    answer = await client.get("/api/v1/query", params=asked)
    return bool(answer.raise_for_status().json()["data"]["result"])


async def _again_and_again(folder: Path, port: int) -> None:
    number = 0
    while True:
        number += 1
        command = [str(_BENCHD), "demo", f"--slots={_SLOTS}", f"--port={port}"]
        command += [f"--directory={folder / f'rack-{number}'}"]
        with (folder / "demo.log").open("ab") as log:
            process = await anyio.open_process(command, stdin=DEVNULL, stdout=log, stderr=STDOUT)
        try:
            with anyio.move_on_after(_ONE_DEMO_S):
                await process.wait()
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(_ENDS_WITHIN_S):
                process.send_signal(signal.SIGINT)
                await process.wait()
