"""What a scrape says of bounds that are near: memory, certificates, tokens, a battery's warmth."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from metrics_rig import new_metrics, series_of, value

from benchd.domain.fill import TransferProgress
from benchd.domain.ids import PortPath, SlotName
from benchd.domain.slot import ProgressView, SlotView
from benchd.domain.token import Former, Scope, Token, TokenName
from benchd.observe.memory_gauges import MemoryGauges
from benchd.pipelines.thermal_pause import TransferMeter
from benchd.signing.tls import Tls, TlsFiles
from tests.web.certificates import Authority

NOW = datetime(2026, 11, 27, tzinfo=UTC)
MIB = 1024**2


def machine(folder: Path, groups: dict[str, dict[str, str]], own: str) -> MemoryGauges:
    proc, cgroups = folder / "proc", folder / "cgroup"
    (proc / "self").mkdir(parents=True)
    (proc / "meminfo").write_text(
        "MemTotal:       4096000 kB\nMemFree:  1 kB\nMemAvailable:    2048000 kB\n"
    )
    (proc / "self" / "cgroup").write_text(f"1:name=systemd:/\n0::/{own}\n")
    for name, files in groups.items():
        (cgroups / name).mkdir(parents=True, exist_ok=True)
        for file, text in files.items():
            (cgroups / name / file).write_text(text)
    return MemoryGauges(proc, cgroups)


def told(gauges: MemoryGauges) -> list[float]:
    return [sample.value for family in gauges.collect() for sample in family.samples]


def bounded(high: str, most: str, used: int, files: int) -> dict[str, str]:
    return {
        "memory.high": f"{high}\n",
        "memory.max": f"{most}\n",
        "memory.current": f"{used}\n",
        "memory.stat": f"anon 1\ninactive_file {files}\nactive_file 2\n",
    }


@pytest.mark.parametrize(
    ("groups", "free", "limit"),
    [
        ({}, 2048000 * 1024, 4096000 * 1024),
        ({"s/benchd": bounded("max", "max", 9, 0)}, 2048000 * 1024, 4096000 * 1024),
        (
            {"s/benchd": bounded("max", f"{512 * MIB}", 400 * MIB, 50 * MIB)},
            162 * MIB,
            512 * MIB,
        ),
        (
            {
                "s/benchd": bounded(f"{300 * MIB}", f"{512 * MIB}", 250 * MIB, 0),
                "s": bounded("max", f"{1000 * MIB}", 990 * MIB, 0),
            },
            10 * MIB,
            1000 * MIB,
        ),
        ({"s/benchd": {"memory.max": "7"}}, 2048000 * 1024, 4096000 * 1024),
    ],
    ids=["no group", "no bound", "its own bound", "that of those around it", "half of it"],
)
def test_memory_is_that_of_whichever_has_least_left(
    tmp_path: Path, groups: dict[str, dict[str, str]], free: float, limit: float
) -> None:
    assert told(machine(tmp_path, groups, "s/benchd")) == [free, limit]


def test_memory_that_the_kernel_says_nothing_of_is_no_number(tmp_path: Path) -> None:
    assert all(map(math.isnan, told(MemoryGauges(tmp_path, tmp_path))))


@pytest.mark.asyncio
async def test_this_machine_says_how_much_memory_is_left() -> None:
    metrics = new_metrics()
    free = await value(metrics, "benchd_memory_free_bytes")
    assert 0 < free < await value(metrics, "benchd_memory_limit_bytes")


@pytest.mark.asyncio
async def test_the_certificate_that_is_shown_counts_and_not_the_one_in_its_file(
    tmp_path: Path,
) -> None:
    metrics, authority = new_metrics(), Authority(tmp_path, "authority")
    assert not [name for name, _ in await series_of(metrics) if "_tls_" in name]
    pair, later = authority.issue("rack"), authority.issue("later", ends=timedelta(days=400))
    tls = Tls(TlsFiles(certificate=pair.certificate, key=pair.key))
    metrics.expiry.tls = lambda: tls.lives
    begins, ends = (moment.timestamp() for moment in tls.lives)
    expires = "benchd_tls_certificate_expires_timestamp_seconds"
    assert await value(metrics, expires) == ends
    assert await value(metrics, "benchd_tls_certificate_begins_timestamp_seconds") == begins
    pair.certificate.write_bytes(later.certificate.read_bytes())
    pair.key.write_bytes(later.key.read_bytes())
    assert await value(metrics, expires) == ends
    assert tls.renew()
    assert await value(metrics, expires) == tls.lives[1].timestamp() > ends


def token(name: str, days: int, *, revoked: bool = False) -> Token:
    return Token(
        name=TokenName(name),
        scopes=frozenset({Scope.INTAKE_READ}),
        mark="0" * 64,
        expires_at=NOW + timedelta(days=days),
        former=Former(mark="1" * 64, until=NOW),
        revoked_at=NOW if revoked else None,
    )


@pytest.mark.asyncio
async def test_the_token_that_ends_first_is_told_without_its_name_until_it_is_revoked() -> None:
    metrics = new_metrics()
    expires = "benchd_token_expires_timestamp_seconds"
    assert await value(metrics, expires) == 0
    all_of = [token("erp", 90), token("shop", -2), token("old", -9, revoked=True)]
    metrics.expiry.tokens = lambda: all_of
    assert await value(metrics, expires) == (NOW - timedelta(days=2)).timestamp()
    all_of[1] = token("shop", -2, revoked=True)
    assert await value(metrics, expires) == (NOW + timedelta(days=90)).timestamp()
    assert not [labels for _, labels in await series_of(metrics) if "shop" in str(labels)]


@pytest.mark.asyncio
async def test_a_battery_is_told_from_the_first_look_on_also_while_the_handset_rests() -> None:
    metrics, slot = new_metrics("A1", "A2"), SlotName("A1")
    shown: list[ProgressView] = []
    meter = TransferMeter(1000, shown.append)

    async def warm() -> list[float]:
        transfer = shown[-1].transfer if shown else None
        view = SlotView(slot=slot, port_path=PortPath("1-1"), transfer=transfer)
        metrics.read_from(views=lambda: {slot: view})
        found = await series_of(metrics)
        return [number for (name, _), number in found.items() if name == WARM]

    meter.battery(31.0)
    assert await warm() == []
    meter.progress(TransferProgress(bytes_done=200, elapsed_s=1))
    assert await warm() == [31.0]
    meter.battery(46.5)
    assert await warm() == [46.5]
    meter.progress(TransferProgress(bytes_done=300, elapsed_s=2))
    assert await warm() == [46.5]
    assert shown[-1].fraction == 0.3


WARM = "benchd_slot_battery_celsius"
