"""A centre as a program before the engine of configs/fleet/, and racks that have joined it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import anyio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from benchd.certificate import create_key
from benchd.fleet.fleet_database import open_database
from benchd.fleet.joined_racks import JoinedRacks
from benchd.outbound.fleet.centre_client import CentreTarget, HttpCentre
from benchd.signing.key_ring import KeyRing
from benchd.signing.private_key import SigningKey
from tests.fleet.high_availability import Engine, engine, until
from tests.fleet.ledger_sender import LedgerSender
from tests.fleet.referee import Referee
from tests.fleet.written_ledger import WrittenLedger

RACKS = 2


@dataclass
class Standing:
    """What a test has in hand."""

    engine: Engine
    folder: Path
    key: SigningKey
    options: Sequence[str | Path] = ()
    """What the centre is started with besides."""
    racks: list[LedgerSender] = field(default_factory=list)
    program: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return self.engine.machines[0].address

    async def start_centre(self) -> None:
        """As a centre that is set up anew has it: tables are made, racks join, it serves."""
        async with open_database(self.engine.through_pgbouncer()) as database:
            for number, rack in enumerate(self.racks):
                ring = KeyRing.of(rack.ledger.key.public_key())
                await JoinedRacks(database).join(f"rack {number}", ring)
        with (self.folder / "centre.log").open("ab") as log:
            self.program = subprocess.Popen(
                [
                    *(sys.executable, "-c", "from benchd.cli.main import main; main()"),
                    *("fleet", "run", f"--key={self.folder / 'centre.pem'}"),
                    f"--listen={self.address}:8430",
                    *self.options,
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=Path(__file__).parents[2],
                env={
                    "PATH": os.environ["PATH"],
                    "LC_ALL": "C.UTF-8",
                    "BENCHD_FLEET_DATABASE": self.engine.through_pgbouncer(),
                },
            )

    def kill_centre(self) -> None:
        if self.program is not None:
            self.program.kill()
            self.program.wait()
            self.program = None

    async def all_sent(self) -> None:
        """All racks have nothing left to send; the referee compares."""
        with anyio.fail_after(100):
            async with anyio.create_task_group() as group:
                for rack in self.racks:
                    group.start_soon(rack.send)
        self.judge()

    def judge(self) -> None:
        """Each record that a rack has or had acknowledged is there once, in one line."""
        for number, rack in enumerate(self.racks):
            file = rack.written_to(self.folder / f"rack-{number}.sqlite")
            assert rack.referee.judge([file]) == {"first": 1}


@asynccontextmanager
async def standing(folder: Path, options: Sequence[str | Path] = ()) -> AsyncGenerator[Standing]:
    """Etcd, both PostgreSQL under Patroni, both PgBouncer, the centre, and records on their way."""
    with engine() as made:
        key = create_key(folder / "centre.pem")
        here = Standing(engine=made, folder=folder, key=key, options=options)
        for machine in made.machines:
            machine.start("etcd")
        for machine in made.databases:
            machine.start("patroni", "pgbouncer")
        made.make_database(await made.whole())
        for _ in range(RACKS):
            ledger = WrittenLedger(Ed25519PrivateKey.generate())
            target = CentreTarget(
                url=f"http://{here.address}:8430",
                key=here.key.public,
                client=None,
                authority=None,
                timeout_s=15,
            )
            referee = Referee(made.of_the_primary(), ledger.rack)
            here.racks.append(LedgerSender(ledger, HttpCentre(target, ledger.rack), referee))
        try:
            await here.start_centre()
            yield here
        finally:
            here.kill_centre()
            for rack in here.racks:
                await rack.centre.aclose()


async def goes_on(racks: list[LedgerSender]) -> None:
    """Each has something acknowledged that it had written after this was asked."""
    last = {id(rack): rack.newest for rack in racks}
    await until(
        "records are acknowledged",
        lambda: all(each.acknowledged > last[id(each)] for each in racks),
    )
