"""`benchd demo`: puts handsets into the rack, lets people work, and says how each one ended."""

from __future__ import annotations

import json
import signal
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import anyio
from rich.console import Console
from rich.table import Table

from benchd.certificate import verify_certificate
from benchd.devices.android.dossier.folder import read_folder
from benchd.domain.errors import CertificateInvalid, UsageRefused
from benchd.domain.ids import JsonValue
from benchd.domain.job import Outcome
from benchd.lab.demo.crew import CREW
from benchd.lab.demo.demo_operators import ended
from benchd.lab.demo.demo_rack import DemoRack, Placed, demo_rack, loopback_listener
from benchd.lab.demo.from_dossier import scenario_of
from benchd.lab.demo.papers import paper_of
from benchd.lab.simulator.scenarios import SCENARIOS, Scenario

IN_ORDER = (
    "clean",
    "live-data",
    "same-serial-a",
    "same-serial-b",
    "account-and-lock",
    "flash-loses-writes",
    "reset-lies",
    "modified-os",
    "felica-in-use",
    "felica-not-clearable",
    "felica-silent",
    "felica-retired",
    "felica-clear-lies",
    "felica-swapped",
    "jpki-unattested",
    "consent-missing",
    "network-restricted",
    "mdm",
    "sd-card",
    "unsupported-model",
    "low-battery",
    "unauthorized",
    "adb-disabled",
    "unplugged",
    "hangs",
    "felica-none",
    "no-native-programs",
    "no-direct-reads",
    "direct-reads-lie",
    "photos-only",
    "secure-folder",
    "custom-rom",
    "preinstalled-account",
    "counterfeit-capacity",
    "unknown-answer",
)
"""Every scenario, in the order in which slots are filled where nobody names any."""
USUAL_SLOTS = 8
ENDS_WITHIN_S = 1800.0


def run_demo(
    *,
    slots: int | None,
    scenarios: Sequence[str],
    once: bool,
    as_json: bool,
    port: int,
    directory: Path | None,
    by_hand: bool = False,
    dossier: Path | None = None,
) -> bool:
    """Run the demo; True if every handset ended as its scenario says (always without `once`).

    With `by_hand` nobody but a person answers the questions. With `dossier` the handset is the
    one whose answers lie there.
    """
    chosen = choose(scenarios, slots) if dossier is None else [scenario_of(read_folder(dossier))]
    where = directory or Path(tempfile.mkdtemp(prefix="benchd-demo-"))
    return (
        anyio.run(_run_once, chosen, where, port, as_json)
        if once
        else anyio.run(_run_until_stopped, chosen, where, port, by_hand)
    )


def choose(names: Sequence[str], slots: int | None) -> list[Scenario]:
    """Which handset sits in which slot: as named, over and over until the slots are full."""
    unknown = [name for name in names if name not in SCENARIOS]
    if unknown:
        message = f"no scenario {', '.join(unknown)}; there are: {', '.join(SCENARIOS)}"
        raise UsageRefused(message)
    count = slots or len(names) or USUAL_SLOTS
    if count < len(names):
        raise UsageRefused(f"{len(names)} scenarios don't fit into {count} slots")
    chosen = names or IN_ORDER
    return [SCENARIOS[chosen[index % len(chosen)]] for index in range(count)]


async def _run_until_stopped(
    scenarios: Sequence[Scenario],
    directory: Path,
    port: int,
    by_hand: bool,  # noqa: FBT001 - handed through anyio.run
) -> bool:
    with loopback_listener(port) as listener:
        async with demo_rack(directory, scenarios, port=port, by_hand=by_hand) as rack:
            await rack.start_daemon(listener)
            async with anyio.create_task_group() as group:
                people = rack.operators()
                group.start_soon(people.assist if by_hand else people.work)
                group.start_soon(rack.must_live)
                _welcome(rack, port)
                with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
                    async for _ in signals:
                        group.cancel_scope.cancel()
                        break
    return True


async def _run_once(
    scenarios: Sequence[Scenario],
    directory: Path,
    port: int,
    as_json: bool,  # noqa: FBT001 - handed through anyio.run
) -> bool:
    results: list[dict[str, JsonValue]] = []
    async with demo_rack(directory, scenarios, port=port) as rack:
        await rack.start_daemon()
        async with anyio.create_task_group() as group:
            group.start_soon(rack.operators().work)
            group.start_soon(rack.must_live)
            with anyio.fail_after(ENDS_WITHIN_S):
                await until_all_ended(rack)
            results = [await result_of(rack, placed) for placed in rack.placed]
            group.cancel_scope.cancel()
    return _tell(rack, results, as_json=as_json)


async def until_all_ended(rack: DemoRack) -> None:
    """Wait until no slot has anything left to do."""
    names = {placed.slot for placed in rack.placed}
    while True:
        slots = rack.watch.slots
        if names <= slots.keys() and all(ended(slots[name]) for name in names):
            return
        await rack.watch.next_look()


async def result_of(rack: DemoRack, placed: Placed) -> dict[str, JsonValue]:
    """How the handset in one slot ended, its certificate verified as an outsider would."""
    slot = rack.watch.slots[placed.slot]
    job: Mapping[str, JsonValue] = {}
    if slot["job"]:
        job = await rack.watch.job(str(slot["job"]))
    handset = job.get("handset")
    certificate: str | None = None
    pdf: str | None = None
    if job.get("certificate"):
        file = rack.folder.certificate(str(slot["job"]))
        if is_valid(file, rack.folder.public_key):
            certificate = str(file)
            pdf = await paper_of(rack, str(slot["job"]), file)
    return {
        "slot": placed.slot,
        "scenario": placed.scenario.name,
        "serial": handset.get("serial") if isinstance(handset, Mapping) else None,
        "outcome": job.get("outcome"),
        "disposition": job.get("disposition"),
        "reason": job.get("reason"),
        "bytes_written": job.get("bytes_written"),
        "coverage": job.get("coverage"),
        "certificate": certificate,
        "pdf": pdf,
    }


def is_valid(certificate: Path, public_key: Path) -> bool:
    """Whether the file verifies with the key."""
    try:
        verify_certificate(certificate.read_bytes(), public_key.read_bytes())
    except (CertificateInvalid, OSError):
        return False
    return True


def as_expected(result: Mapping[str, JsonValue], scenario: Scenario) -> bool:
    """Whether a handset ended as its scenario says, with a valid certificate if it passed."""
    end = scenario.end
    found = (result["outcome"], result["disposition"], result["reason"])
    has_certificate = result["certificate"] is not None
    return found == (end.outcome, end.disposition, end.reason) and has_certificate == (
        end.outcome is Outcome.PASSED
    )


def _welcome(rack: DemoRack, port: int) -> None:
    lines = (
        f"仮想ラックが動いています（{len(rack.placed)} スロット）。Ctrl+C で終了します。",
        f"The virtual rack is running ({len(rack.placed)} slots). Ctrl+C ends it.",
        f"  http://127.0.0.1:{port}/",
        f"  BENCHD_SOCKET={rack.folder.socket} .venv/bin/benchd status",
        f"  {rack.folder.log}",
        *(f"  {one.name}: ID {one.id}, バッジ/badge {one.badge}, PIN {one.pin}" for one in CREW),
    )
    sys.stderr.write("\n".join(lines) + "\n")


def _tell(rack: DemoRack, results: Sequence[Mapping[str, JsonValue]], *, as_json: bool) -> bool:
    fits = [
        as_expected(result, placed.scenario)
        for result, placed in zip(results, rack.placed, strict=True)
    ]
    ok = all(fits)
    if as_json:
        body = {"ok": ok, "public_key": str(rack.folder.public_key), "handsets": list(results)}
        sys.stdout.write(json.dumps(body, ensure_ascii=False, indent=2) + "\n")
        return ok
    table = Table(title=f"benchd demo: {rack.folder.path}")
    for heading in ("slot", "scenario", "outcome", "disposition", "reason", "coverage", ""):
        table.add_column(heading)
    for result, fit in zip(results, fits, strict=True):
        coverage = result["coverage"]
        table.add_row(
            *(
                str(result[key] or "")
                for key in ("slot", "scenario", "outcome", "disposition", "reason")
            ),
            f"{coverage:.1%}" if isinstance(coverage, float) else "",
            "as it should" if fit else "NOT AS EXPECTED",
        )
    Console().print(table)
    return ok
