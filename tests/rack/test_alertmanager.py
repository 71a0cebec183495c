"""An adb server ends: from the daemon over Prometheus and Alertmanager to who looks after it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Generator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import anyio
import httpx2
import pytest
import yaml

from tests.free_port import free_port
from tests.outbound.hooks.http_receiver import receiving
from tests.rack.daemon_here import configured, running_daemon
from tests.shipped_watch import (
    ALERTS,
    RULES,
    heard,
    shipped_alertmanager,
    shipped_prometheus,
)
from tests.watchers import alertmanager, prometheus, until

pytestmark = [pytest.mark.rack, pytest.mark.asyncio, pytest.mark.timeout(180)]

ALERT = "BenchdAdbServerDown"


@contextmanager
def adb_server(folder: Path) -> Generator[None]:
    """A real one that somebody else than benchd has started, and that sees no USB."""
    environment = {"HOME": str(folder), "PATH": os.environ["PATH"]}
    environment |= {"ADB_USB": "0", "ADB_MDNS": "0", "ADB_EMU": "0"}
    with (folder / "adb.log").open("ab") as log:
        server = subprocess.Popen(
            ["adb", "-L", f"localfilesystem:{folder / 'adb.sock'}", "nodaemon", "server"],
            env=environment,
            stdout=log,
            stderr=log,
        )
    try:
        yield
    finally:
        server.kill()
        server.wait()


def put_rules(folder: Path) -> None:
    """The shipped rules, of which this one waits no half a minute before it is told."""
    (folder / "rules").mkdir()
    told = yaml.safe_load((RULES / "service.yml").read_text())
    [rule] = [each for each in told["groups"][0]["rules"] if each.get("alert") == ALERT]
    rule["for"] = "1s"
    (folder / "rules" / "service.yml").write_text(yaml.safe_dump(told))


async def amtool(*arguments: str) -> str:
    done = await anyio.run_process(["amtool", *arguments])
    return done.stdout.decode().strip()


async def test_who_looks_after_the_pc_hears_that_the_adb_server_is_down_and_that_it_is_back(
    tmp_path: Path,
) -> None:
    http_port, alerts_port = free_port(), free_port()
    put_rules(tmp_path)
    async with (
        receiving() as receiver,
        alertmanager(tmp_path, shipped_alertmanager(receiver.port), alerts_port),
        prometheus(tmp_path, shipped_prometheus(http_port, alerts_port)) as watching,
        AsyncExitStack() as running,
    ):
        with adb_server(tmp_path):
            file = configured(tmp_path, adb='server = "external"', port=http_port)
            await running.enter_async_context(running_daemon(file))
            await until(watching, "benchd_adb_server_up == 1")
        told = await heard(receiver, ALERT, "firing")
        assert (told["path"], told["severity"], told["rack"]) == ("/admins", "critical", "rack-1")
        assert told["runbook_url"] == "docs/runbooks/service.md#benchdadbserverdown"
        url = f"--alertmanager.url=http://127.0.0.1:{alerts_port}"
        assert ALERT in await amtool(url, "alert", "query", f"alertname={ALERT}")
        with adb_server(tmp_path):
            await heard(receiver, ALERT, "resolved")


@pytest.mark.parametrize(
    ("labels", "reached"),
    [
        (("team=rack", "severity=warning"), "rack"),
        (("team=rack", "severity=critical"), "rack"),
        (("team=service", "severity=critical"), "admins"),
        (("team=service", "severity=warning"), "admins"),
    ],
)
async def test_whom_an_alert_reaches(labels: tuple[str, ...], reached: str) -> None:
    routed = await amtool("config", "routes", "test", f"--config.file={ALERTS}", *labels)
    assert routed == reached


async def test_a_rack_without_pcscd_says_so_once_and_not_once_for_each_reader(
    tmp_path: Path,
) -> None:
    told = [
        alert("BenchdPcscdDown", "service", "a", "rack-1"),
        alert("BenchdReaderDown", "rack", "a", "rack-1"),
        alert("BenchdReaderDown", "rack", "a", "rack-2"),
        alert("BenchdReaderDown", "rack", "b", "rack-1"),
    ]
    await settle(
        tmp_path,
        told,
        {
            ("BenchdPcscdDown", "a", "rack-1"): "active",
            ("BenchdReaderDown", "a", "rack-1"): "suppressed",
            ("BenchdReaderDown", "a", "rack-2"): "active",
            ("BenchdReaderDown", "b", "rack-1"): "active",
        },
    )


async def test_one_site_that_is_down_hides_nothing_of_the_rack_of_that_name_at_another(
    tmp_path: Path,
) -> None:
    told = [
        alert("BenchdDown", "service", "a", "rack-1"),
        alert("BenchdDiskFull", "service", "a", "rack-1"),
        alert("BenchdDiskFull", "service", "b", "rack-1"),
        alert("BenchdAdbServerDown", "service", "c", "rack-1"),
        alert("BenchdNothingPasses", "rack", "c", "rack-1"),
        alert("BenchdNothingPasses", "rack", "b", "rack-1"),
    ]
    await settle(
        tmp_path,
        told,
        {
            ("BenchdDown", "a", "rack-1"): "active",
            ("BenchdDiskFull", "a", "rack-1"): "suppressed",
            ("BenchdDiskFull", "b", "rack-1"): "active",
            ("BenchdAdbServerDown", "c", "rack-1"): "active",
            ("BenchdNothingPasses", "c", "rack-1"): "suppressed",
            ("BenchdNothingPasses", "b", "rack-1"): "active",
        },
    )


async def test_the_watchdog_goes_to_the_dead_man_s_switch_alone_and_nothing_hides_it(
    tmp_path: Path,
) -> None:
    routed = await amtool(
        "config", "routes", "test", f"--config.file={ALERTS}", "alertname=BenchdWatchdog"
    )
    assert routed == "dead-mans-switch"
    unnamed = {"alertname": "BenchdDown", "team": "service"}
    await settle(
        tmp_path,
        [{"labels": unnamed}, {"labels": unnamed | {"alertname": "BenchdWatchdog"}}],
        {("BenchdDown", "", ""): "active", ("BenchdWatchdog", "", ""): "active"},
    )


def alert(name: str, team: str, site: str, rack: str) -> dict[str, dict[str, str]]:
    return {"labels": {"alertname": name, "team": team, "site": site, "rack": rack}}


async def settle(
    folder: Path, told: list[dict[str, dict[str, str]]], wanted: dict[tuple[str, str, str], str]
) -> None:
    """What becomes of these alerts, all told at once."""
    states: dict[tuple[str, str, str], str] = {}
    async with alertmanager(folder, ALERTS.read_text(), free_port()) as keeper:
        (await keeper.post("/api/v2/alerts", json=told)).raise_for_status()
        with anyio.move_on_after(30):
            # One that hides another may be heard of after that one is active.
            while (states := await states_of(keeper)) != wanted:  # noqa: ASYNC110 - only asking tells
                await anyio.sleep(0.1)
        assert states == wanted


async def states_of(keeper: httpx2.AsyncClient) -> dict[tuple[str, str, str], str]:
    alerts = (await keeper.get("/api/v2/alerts")).raise_for_status().json()
    return {
        (
            each["labels"]["alertname"],
            each["labels"].get("site", ""),
            each["labels"].get("rack", ""),
        ): each["status"]["state"]
        for each in alerts
    }
