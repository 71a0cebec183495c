"""`benchd demo --fleet`: several virtual racks, joined to one centre on a private PostgreSQL."""

from __future__ import annotations

import json
import signal
import sys
import tempfile
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

import anyio
import httpx2
import psycopg
from anyio import to_thread

from benchd.certificate import create_key, verify_certificate
from benchd.config import load_settings
from benchd.daemon.system_clock import SystemEntropy
from benchd.domain.errors import UsageRefused
from benchd.domain.ids import JsonValue
from benchd.domain.job import Disposition, Reason
from benchd.fleet.fleet_database import open_database
from benchd.fleet.joined_racks import JoinedRacks
from benchd.fleet.offices import Offices
from benchd.fleet.public_check import Standing
from benchd.lab.demo.crew import CREW
from benchd.lab.demo.demo_folder import DemoFolder
from benchd.lab.demo.demo_operators import ANSWERS_WITHIN_S, ended
from benchd.lab.demo.demo_rack import DemoRack, Placed, demo_rack, loopback_listener
from benchd.lab.demo.demo_run import ENDS_WITHIN_S, as_expected, result_of
from benchd.lab.demo.fleet_centre import running_centre
from benchd.lab.demo.lent_listener import listener_inside
from benchd.lab.demo.private_postgres import private_cluster
from benchd.lab.simulator.scenario import failed
from benchd.lab.simulator.scenarios import SCENARIOS, Scenario
from benchd.ledger.reader import LedgerReader
from benchd.papers.certificate_page import CertificatePage
from benchd.papers.paper_content import Signed
from benchd.signing.key_ring import KeyRing
from benchd.signing.public_key import public_key_of
from benchd.texts.catalogue import Catalogue

MOST_RACKS: Final = 8
CENTRE_PORT_AFTER: Final = 10
"""The centre's port is that of the first rack and so many."""
PAGES_PORT_AFTER: Final = 11
LAST_PORT: Final = 65535
HANDSETS: Final = 2
"""In each rack that is there to be looked at."""
IN_TURN: Final = (
    *("clean", "flash-loses-writes", "felica-in-use", "live-data"),
    *("clean", "felica-not-clearable"),
)
"""Which handsets come, from rack to rack."""
COPIES_OF_A_RACK: Final = 10
WHOLE_STORY: Final = 3
"""So many racks show what one knows of another's handsets."""
TWIN: Final = 2
"""The copy that comes to two racks at once."""
_ALL_ROWS: Final = 1 << 31
_LOOK_EVERY_S: Final = 0.2

_SITE: Final = 'name = "仮想ラック / virtual rack'
_CERTIFICATE: Final = "[certificate]\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Centre:
    """Where the centre is."""

    folder: Path
    port: int
    pages_port: int
    database: str

    @property
    def pages_url(self) -> str:
        """Where people look things up, and strangers verify certificates."""
        return f"http://127.0.0.1:{self.pages_port}"

    @property
    def url(self) -> str:
        """Its address, for racks as for people."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def key(self) -> Path:
        """What it signs checkpoints with."""
        return self.folder / "centre.pem"

    @property
    def log(self) -> Path:
        """What it said."""
        return self.folder / "centre.log"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """Racks and their centre, all of which run."""

    centre: Centre
    racks: Sequence[DemoRack]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comer:
    """A handset on its way to a rack."""

    scenario: Scenario
    copy: int
    """Of one scenario, the same number is the same handset."""
    waits: bool = False
    """Whether it comes only once those that don't wait have ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RackEnd:
    """How a rack's handsets have ended, and how many of its records the centre has."""

    rack: str
    handsets: Sequence[Mapping[str, JsonValue]]
    records: int
    verified: Sequence[str]
    """What the centre says of each certificate, by what its QR code says."""
    ok: bool


def run_fleet_demo(
    racks: int,
    handsets: int | None,
    directory: Path | None,
    port: int,
    *,
    once: bool,
    as_json: bool,
) -> bool:
    """Run it; True if every handset ended as it has to and the centre has every record."""
    if port + PAGES_PORT_AFTER > LAST_PORT:
        raise UsageRefused(f"--port is at most {LAST_PORT - PAGES_PORT_AFTER} with --fleet")
    where = directory or Path(tempfile.mkdtemp(prefix="benchd-demo-"))
    if once and handsets:
        raise UsageRefused("--fleet --once brings its own handsets: it takes no --slots")
    with private_cluster() as cluster:
        centre = Centre(
            folder=where,
            port=port + CENTRE_PORT_AFTER,
            pages_port=port + PAGES_PORT_AFTER,
            database=cluster.conninfo("fleet"),
        )
        with psycopg.connect(cluster.conninfo(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE fleet")
        if once:
            return anyio.run(partial(_once, centre, racks, port, as_json=as_json))
        return anyio.run(_until_stopped, centre, racks, handsets or HANDSETS, port)


@asynccontextmanager
async def demo_fleet(
    centre: Centre, comers: Sequence[Sequence[Comer]], port: int, *, shown: bool
) -> AsyncGenerator[Fleet]:
    """Racks with what comes to each, joined.

    If they are `shown`, each has a port on this machine, and all handsets are plugged in.
    """
    async with AsyncExitStack() as stack:
        at = stack.enter_context(loopback_listener(centre.port))
        centre.folder.mkdir(parents=True, exist_ok=True)
        create_key(centre.key)
        running = [
            await stack.enter_async_context(
                demo_rack(
                    centre.folder / f"rack-{number}",
                    [comer.scenario for comer in coming],
                    port=port + number - 1,
                    copies=[comer.copy for comer in coming],
                    plugged=shown,
                )
            )
            for number, coming in enumerate(comers, start=1)
        ]
        inside = [
            stack.enter_context(await listener_inside(rack.house, centre.port)) for rack in running
        ]
        listeners = [at, *inside]
        async with running_centre(
            centre.database, centre.key, listeners, centre.pages_port, centre.log
        ):
            for number, rack in enumerate(running, start=1):
                _point_to(centre, rack.folder, number)
                await _join(centre, rack.folder, number)
            async with AsyncExitStack() as shown_at:
                places = [
                    shown_at.enter_context(loopback_listener(port + number)) if shown else None
                    for number in range(len(running))
                ]
                async with anyio.create_task_group() as starting:
                    for rack, place in zip(running, places, strict=True):
                        starting.start_soon(rack.start_daemon, place)
            yield Fleet(centre=centre, racks=running)


def comers_to(rack: int, count: int) -> list[Comer]:
    """What comes to this rack to be looked at: other scenarios than to the one before."""
    first = (rack - 1) * HANDSETS
    return [
        Comer(
            scenario=SCENARIOS[IN_TURN[(first + index) % len(IN_TURN)]],
            copy=COPIES_OF_A_RACK * rack + index,
        )
        for index in range(count)
    ]


def name_of(number: int) -> str:
    """What a rack is called at the centre."""
    return f"ラック {number} / rack {number}"


def _point_to(centre: Centre, folder: DemoFolder, number: int) -> None:
    """The rack's configuration, with the centre in it and on its papers."""
    text = folder.config.read_text(encoding="utf-8")
    text = text.replace(_SITE, f'name = "{name_of(number)}: 仮想ラック / virtual rack')
    verify = json.dumps(f"{centre.pages_url}/verify")
    text = text.replace(_CERTIFICATE, f"{_CERTIFICATE}verify_at = {verify}\n")
    public = json.dumps(str(centre.key.with_suffix(".pem.pub")))
    text += f"\n[fleet]\nurl = {json.dumps(centre.url)}\ncentre_key = {public}\n"
    folder.config.write_text(text, encoding="utf-8")


async def _join(centre: Centre, folder: DemoFolder, number: int) -> None:
    async with open_database(centre.database) as database:
        ring = KeyRing.of(public_key_of(folder.public_key.read_bytes()))
        await JoinedRacks(database).join(name_of(number), ring)


async def _until_stopped(centre: Centre, racks: int, handsets: int, port: int) -> bool:
    async with (
        demo_fleet(
            centre, [comers_to(rack, handsets) for rack in range(1, racks + 1)], port, shown=True
        ) as fleet,
        anyio.create_task_group() as group,
    ):
        async with open_database(centre.database) as database:
            token = await Offices(database).add("demo", 1, SystemEntropy())
        for rack in fleet.racks:
            group.start_soon(rack.operators().work)
            group.start_soon(rack.must_live)
        with anyio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
            _welcome(fleet, port, token)
            async for _ in signals:
                group.cancel_scope.cancel()
                break
    return True


async def _once(centre: Centre, racks: int, port: int, *, as_json: bool) -> bool:
    told: list[RackEnd] = []
    comers = story(racks)
    async with (
        demo_fleet(centre, comers, port, shown=False) as fleet,
        anyio.create_task_group() as group,
    ):
        for rack in fleet.racks:
            group.start_soon(rack.operators().work)
            group.start_soon(rack.must_live)
        with anyio.fail_after(ENDS_WITHIN_S):
            for waits in (False, True):
                coming = [
                    (rack, placed)
                    for rack, of in zip(fleet.racks, comers, strict=True)
                    for placed, comer in zip(rack.placed, of, strict=True)
                    if comer.waits is waits
                ]
                for rack, placed in coming:
                    await rack.hands.plug(placed.slot, placed.number)
                for rack, placed in coming:
                    await _until_ended(rack, placed)
                for rack in fleet.racks:
                    await until_all_there(centre, rack)
            for number, (rack, of) in enumerate(zip(fleet.racks, comers, strict=True), start=1):
                told.append(await _ended(centre, rack, of, number))
        group.cancel_scope.cancel()
    ok = all(rack.ok for rack in told) and (racks < WHOLE_STORY or _one_of_two_ran(told))
    if as_json:
        racks_told = [asdict(rack) for rack in told]
        body = {"ok": ok, "database": centre.database, "racks": racks_told}
        sys.stdout.write(json.dumps(body, ensure_ascii=False, indent=2) + "\n")
    else:
        _tell(told)
    return ok


def story(racks: int) -> list[list[Comer]]:
    """What comes to each rack, where what one of them knows holds on all.

    What rack 1 sends to be destroyed comes to rack 2 afterwards. One handset, which is none but in
    a simulation, comes to racks 2 and 3 at once.
    """
    clean, dies = SCENARIOS["clean"], SCENARIOS["flash-loses-writes"]
    if racks < WHOLE_STORY:
        return [[Comer(scenario=clean, copy=TWIN + rack)] for rack in range(1, racks + 1)]
    held = replace(dies, end=failed(Disposition.HOLD, Reason.DOOMED_ELSEWHERE))
    twin = Comer(scenario=clean, copy=TWIN, waits=True)
    return [
        [Comer(scenario=dies, copy=1)],
        [twin, Comer(scenario=held, copy=1, waits=True)],
        [twin, Comer(scenario=clean, copy=3)],
        *([Comer(scenario=clean, copy=rack)] for rack in range(WHOLE_STORY + 1, racks + 1)),
    ]


def _one_of_two_ran(told: Sequence[RackEnd]) -> bool:
    """Whether one handset in two racks at once ran in one of them, and was held in the other."""
    ends = {
        (str(twin["disposition"]), str(twin["reason"]))
        for twin in (told[1].handsets[0], told[2].handsets[0])
    }
    held = (Disposition.HOLD.value, Reason.RUNNING_ELSEWHERE.value)
    return ends == {(Disposition.SELLABLE.value, "None"), held}


async def _until_ended(rack: DemoRack, placed: Placed) -> None:
    while not ((slot := rack.watch.slots.get(placed.slot)) and slot["job"] and ended(slot)):
        await rack.watch.next_look()


async def _ended(centre: Centre, rack: DemoRack, of: Sequence[Comer], number: int) -> RackEnd:
    results = [await result_of(rack, placed) for placed in rack.placed]
    fits = [
        as_expected(told, comer.scenario)
        for told, comer in zip(results, of, strict=True)
        # Which of two that come at once runs is chance.
        if comer.copy != TWIN
    ]
    records = await until_all_there(centre, rack)
    papers = [str(told["certificate"]) for told in results if told["certificate"] is not None]
    verified = [await _verified(rack.folder, Path(paper)) for paper in papers]
    return RackEnd(
        rack=name_of(number),
        handsets=results,
        records=records,
        verified=verified,
        ok=all(fits) and all(standing == Standing.VALID for standing in verified),
    )


async def _verified(folder: DemoFolder, certificate: Path) -> str:
    """What a stranger hears who goes by the paper's QR code; a changed code has to be refused."""
    key = public_key_of(folder.public_key.read_bytes())
    envelope = await to_thread.run_sync(certificate.read_bytes)
    signed = Signed(
        statement=verify_certificate(envelope, KeyRing.of(key)),
        envelope=envelope,
        key_id=KeyRing.of(key).rack,
        where=load_settings(folder.config).certificate.verify_at or "",
    )
    code = CertificatePage(Catalogue.load()).document(signed, "en").code
    _, number, digest, where = code.split(":", 3)
    other = "0" if digest[-1] != "0" else "1"
    there = where.removesuffix("/VERIFY")
    async with httpx2.AsyncClient(base_url=there, timeout=ANSWERS_WITHIN_S) as client:
        page = await client.get(where)
        forged = await client.get(f"/v1/certificates/{number}/{digest[:-1]}{other}")
        asked = await client.get(f"/v1/certificates/{number}/{digest}")
    if not page.is_success or forged.json()["standing"] != Standing.INVALID:
        return f"{page.status_code} {forged.text}"
    return str(asked.json()["standing"])


async def until_all_there(centre: Centre, rack: DemoRack) -> int:
    """Wait until the centre has exactly the records of this rack's ledger; how many they are."""
    key = KeyRing.of(public_key_of(rack.folder.public_key.read_bytes())).rack
    while True:
        there = await to_thread.run_sync(_at_centre, centre.database, key)
        here = await to_thread.run_sync(_on_disk, rack.folder.ledger)
        # A list: one that was there twice, or in a branch, would be one too many.
        if here == there:
            return len(here)
        await anyio.sleep(_LOOK_EVERY_S)


def _on_disk(ledger: Path) -> list[tuple[int, bytes, bytes]]:
    reader = LedgerReader(ledger)
    try:
        rows = reader.rows(0, _ALL_ROWS, _ALL_ROWS, _ALL_ROWS)
    finally:
        reader.close()
    return [(row.sequence, row.hash, row.body) for row in rows]


def _at_centre(database: str, rack: str) -> list[tuple[int, bytes, bytes]]:
    with psycopg.connect(database) as connection:
        found = connection.execute(
            "SELECT sequence, hash, body FROM record JOIN rack ON rack.id = rack"
            " WHERE key_id = %s ORDER BY sequence, branch",
            (rack,),
        )
        return [(row[0], row[1], row[2]) for row in found]


def _welcome(fleet: Fleet, port: int, token: str) -> None:
    lines = [
        f"{len(fleet.racks)}台の仮想ラックとセンターが動いています。Ctrl+C で終了します。",
        f"{len(fleet.racks)} virtual racks and their centre are running. Ctrl+C ends them.",
        f"  センター/centre: {fleet.centre.pages_url}/",
        f"  トークン/token: {token}",
        f"  証明書の確認/certificates: {fleet.centre.pages_url}/verify",
        f'  .venv/bin/benchd fleet racks --database "{fleet.centre.database}"',
        f"  {fleet.centre.log}",
    ]
    for number, rack in enumerate(fleet.racks):
        lines += [
            f"  {name_of(number + 1)}: http://127.0.0.1:{port + number}/",
            f"    BENCHD_SOCKET={rack.folder.socket} .venv/bin/benchd status",
        ]
    lines += [f"  {one.name}: ID {one.id}, バッジ/badge {one.badge}, PIN {one.pin}" for one in CREW]
    sys.stderr.write("\n".join(lines) + "\n")


def _tell(racks: Sequence[RackEnd]) -> None:
    for rack in racks:
        for told in rack.handsets:
            end = told["disposition"] or told["reason"]
            sys.stdout.write(f"{rack.rack}  {told['slot']}  {told['scenario']}  {end}\n")
        fits = "as it should" if rack.ok else "NOT AS EXPECTED"
        said = ", ".join(rack.verified) or "none"
        sys.stdout.write(
            f"{rack.rack}  {rack.records} records at the centre, certificates: {said}  {fits}\n"
        )
