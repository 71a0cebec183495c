"""`benchd demo --lot`: one lot of handsets, taken in by CSV, and how often anybody was asked."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from base64 import b64decode
from collections import Counter
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from math import ceil
from pathlib import Path
from typing import Final

import anyio

from benchd.domain.errors import BenchdError
from benchd.domain.ids import JsonValue
from benchd.domain.intake import AttestationKind
from benchd.domain.job import Gate
from benchd.lab.demo.crew import WORKER
from benchd.lab.demo.demo_rack import DemoRack, Placed, demo_rack
from benchd.lab.demo.demo_run import ENDS_WITHIN_S, as_expected, result_of, until_all_ended
from benchd.lab.simulator.chips import BASELINE
from benchd.lab.simulator.plan import HandsetPlan
from benchd.lab.simulator.scenarios import SCENARIOS, Scenario

HANDSETS: Final = 24
"""Unless somebody wants another number."""
LEAST: Final = 4
"""One clean handset beside the three exceptions."""
LOT: Final = "LOT-DEMO"
CLEAN_ANSWERS: Final = Counter({Gate.OBSERVE: 1, Gate.CONFIRM: 1})

_BENCHD: Final = "from benchd.cli.main import main; main()"


class IntakeFailed(BenchdError):
    """Raised when the demo's lot couldn't be taken in."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LotResult:
    """How one handset of the lot ended."""

    told: Mapping[str, JsonValue]
    tag: str
    answers: tuple[str, ...]
    """The gates that people have answered after it was plugged in."""
    named: bool
    """Whether its certificate names lot, tag, and what was attested."""
    fits: bool


def exceptions(handsets: int) -> Mapping[int, Gate]:
    """Which handsets of such a lot somebody is asked more about than about a clean one, and what.

    The chip of one has somebody's balance in it, and nobody has agreed yet that it is lost; of two
    the papers don't say that the JPKI certificate was revoked. The first is clean in a lot of any
    size: its chip is what the others are compared with.
    """
    chip_in_use, *no_jpki = (ceil(handsets * part / 24) for part in (7, 15, 22))
    return {chip_in_use: Gate.CONSENT, **dict.fromkeys(no_jpki, Gate.JPKI)}


def lot_scenarios(handsets: int = HANDSETS) -> list[Scenario]:
    """Who sits in which slot."""
    clean, in_use = SCENARIOS["clean"], SCENARIOS["felica-in-use"]
    asked = exceptions(handsets)
    return [
        in_use if asked.get(number) is Gate.CONSENT else clean for number in range(1, handsets + 1)
    ]


def tag_of(placed: Placed) -> str:
    """The label on a handset."""
    return f"T-{placed.number:03}"


def papers(rack: Sequence[Placed]) -> str:
    """The list that came with the lot."""
    lines = ["管理番号,IMEI,機種,色,ランク"]
    for placed in rack:
        plan = _plan(placed)
        lines.append(f"{tag_of(placed)},{plan.imei},{plan.model.model},黒,A")
    return "\r\n".join(lines) + "\r\n"


def look_ups(rack: Sequence[Placed], now: datetime) -> str:
    """The list of network restrictions that somebody looked up this morning."""
    at = now.astimezone(UTC).isoformat(timespec="seconds")
    lines = ["IMEI,判定,照会日時", *(f"{_plan(placed).imei},○,{at}" for placed in rack)]
    return "\n".join(lines) + "\n"


def _plan(placed: Placed) -> HandsetPlan:
    return placed.scenario.handset(name=placed.slot, slot=None, copy=placed.number)


def run_lot_demo(directory: Path | None, port: int, handsets: int, *, as_json: bool) -> bool:
    """Run the demo; True if every handset of the lot ended, and was asked about, as it has to."""
    where = directory or Path(tempfile.mkdtemp(prefix="benchd-demo-"))
    return anyio.run(partial(run_lot, where, port, handsets, as_json=as_json))


async def run_lot(directory: Path, port: int, handsets: int, *, as_json: bool) -> bool:
    """Run the whole lot to its end; True if all of it went as it has to."""
    results: list[LotResult] = []
    attended: list[Mapping[str, JsonValue]] = []
    async with demo_rack(directory, lot_scenarios(handsets), port=port, plugged=False) as rack:
        await _capture_baseline(rack)
        await rack.start_daemon()
        await _take_in(rack)
        for placed in rack.placed:
            await rack.hands.plug(placed.slot, placed.number)
        async with anyio.create_task_group() as group:
            people = rack.operators(resets_without_a_word=True)
            group.start_soon(people.work)
            group.start_soon(rack.must_live)
            with anyio.fail_after(ENDS_WITHIN_S):
                await until_all_ended(rack)
            results = [await _result(rack, placed) for placed in rack.placed]
            attended = await rack.watch.attended(LOT)
            group.cancel_scope.cancel()
    return _tell(rack, results, attended, as_json=as_json)


async def _capture_baseline(rack: DemoRack) -> None:
    """What this rack has seen of an unused chip, before the first handset of the lot."""
    file, first = rack.folder.path / "captured.toml", rack.placed[0]
    await rack.hands.plug(first.slot, first.number)
    command = ["felica", "capture", str(file), "--slot", first.slot, "--name", "demo-captured"]
    command += ["--model", _plan(first).model.model, "--screen", "未利用"]
    command += ["--config", str(rack.folder.config)]
    done = await anyio.run_process(
        rack.house.command(sys.executable, "-c", _BENCHD, *command),
        check=False,
        stderr=subprocess.STDOUT,
    )
    if done.returncode != 0:
        raise IntakeFailed(f"no baseline was captured: {done.stdout.decode(errors='replace')}")
    await rack.hands.unplug(first.slot)
    text = rack.folder.config.read_text(encoding="utf-8")
    before, after = (json.dumps(str(BASELINE)), json.dumps(str(file)))
    rack.folder.config.write_text(text.replace(before, after), encoding="utf-8")


async def _take_in(rack: DemoRack) -> None:
    """The lot, its list, what is attested of it but for three, and the look-ups."""
    api = "/api/v1"
    await _post(
        rack,
        f"{api}/lots",
        {
            "lot": LOT,
            "consignor": "仮想リサイクル",
            "kind": "purchase",
            "paper": "No.1",
            "identity_check": "運転免許証",
            "operator": WORKER.id,
        },
    )
    asked = {"operator": WORKER.id}
    path = f"{api}/lots/{LOT}/assets.csv"
    data = papers(rack.placed).encode("cp932")
    dry = await _post(rack, path, data, {**asked, "dry_run": "true"})
    taken = await _post(rack, path, data, asked)
    if dry["mistakes"] or not taken["taken"]:
        raise IntakeFailed(f"the list has mistakes: {taken['mistakes']}")
    tags = {placed.number: tag_of(placed) for placed in rack.placed}
    for kind, gate in ((AttestationKind.CONSENT, Gate.CONSENT), (AttestationKind.JPKI, Gate.JPKI)):
        excepted = [tags[number] for number, of in _exceptions(rack).items() if of is gate]
        told = {"kinds": [kind], "excepted": excepted, **asked}
        await _post(rack, f"{api}/lots/{LOT}/attestations", told)
    now = datetime.now(UTC)
    listed = await _post(
        rack,
        f"{api}/network.csv",
        look_ups(rack.placed, now).encode(),
        {**asked, "source": "demo"},
    )
    if not listed["taken"]:
        raise IntakeFailed(f"the look-ups have mistakes: {listed['mistakes']}")


def _exceptions(rack: DemoRack) -> Mapping[int, Gate]:
    return exceptions(len(rack.placed))


async def _post(
    rack: DemoRack,
    path: str,
    told: Mapping[str, object] | bytes,
    params: Mapping[str, str] | None = None,
) -> Mapping[str, JsonValue]:
    content = told if isinstance(told, bytes) else json.dumps(told).encode()
    kind = "text/csv" if isinstance(told, bytes) else "application/json"
    answer = await rack.watch.door.post(WORKER, path, content, kind=kind, params=params)
    if not answer.is_success:
        raise IntakeFailed(f"{path}: {answer.text}")
    found: Mapping[str, JsonValue] = answer.json()
    return found


async def _result(rack: DemoRack, placed: Placed) -> LotResult:
    told = await result_of(rack, placed)
    job = await rack.watch.job(str(rack.watch.slots[placed.slot]["job"]))
    decisions = job["decisions"]
    answers = tuple(
        str(each["gate"])
        for each in (decisions if isinstance(decisions, Sequence) else ())
        if isinstance(each, Mapping)
    )
    more = {gate for number, gate in _exceptions(rack).items() if number == placed.number}
    named = _names(told["certificate"], placed, more)
    due = CLEAN_ANSWERS + Counter(more)
    fits = as_expected(told, placed.scenario) and named and Counter(answers) == due
    return LotResult(told=told, tag=tag_of(placed), answers=answers, named=named, fits=fits)


def _names(certificate: JsonValue, placed: Placed, asked: AbstractSet[Gate]) -> bool:
    """Whether a certificate that verifies says of which lot and asset it is, and by what."""
    if not isinstance(certificate, str):
        return False
    envelope = json.loads(Path(certificate).read_bytes())
    intake = json.loads(b64decode(envelope["payload"]))["predicate"]["intake"]
    gates = {each["gate"] for each in (*intake["attestations"], *intake["not_needed"])}
    settled = gates == {Gate.NETWORK, Gate.CONSENT, Gate.JPKI} - asked
    return (intake["lot"], intake["tag"], intake["bound_by"]) == (
        LOT,
        tag_of(placed),
        "imei",
    ) and settled


def _tell(
    rack: DemoRack,
    results: Sequence[LotResult],
    attended: Sequence[Mapping[str, JsonValue]],
    *,
    as_json: bool,
) -> bool:
    ok = all(result.fits for result in results)
    answers = [len(result.answers) for result in results]
    if as_json:
        handsets = [
            {**each.told, "tag": each.tag, "answers": list(each.answers), "named": each.named}
            for each in results
        ]
        key = str(rack.folder.public_key)
        body = {"ok": ok, "public_key": key, "handsets": handsets, "attended": attended}
        sys.stdout.write(json.dumps(body, ensure_ascii=False, indent=2) + "\n")
        return ok
    for result in results:
        end = result.told["disposition"] or result.told["reason"]
        fits = "as it should" if result.fits else "NOT AS EXPECTED"
        told = f"{len(result.answers)} answers ({', '.join(result.answers)})"
        sys.stdout.write(f"{result.told['slot']}  {result.tag}  {end}  {told}  {fits}\n")
    sys.stdout.write("Minutes that slots waited for people, by step (in all, for each handset):\n")
    for step in attended:
        minutes, each = (float(str(step[key])) / 60 for key in ("seconds", "seconds_each"))
        told = f"{step['handsets']:>4} handsets {minutes:7.1f} {each:6.2f}  {step['en']}"
        sys.stdout.write(told + "\n")
    asked = _exceptions(rack)
    clean = [len(r.answers) for n, r in enumerate(results, start=1) if n not in asked]
    sys.stdout.write(
        f"{LOT}: {len(results)} handsets, {sum(answers)} answers;"
        f" {max(clean)} at most for each of the {len(clean)} clean ones\n"
        f"{rack.folder.path}\n"
    )
    return ok
