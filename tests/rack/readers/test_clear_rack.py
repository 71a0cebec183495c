"""Reader and clear never meet: the field is off and the reader free while a provider works."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pytest
from reader_rack import card, reader_rack, slot_name

from benchd.devices.felica.providers.external_tool import external_tool
from benchd.domain.chip import ChipVerdict
from benchd.domain.clear_provider import (
    ClearCapabilities,
    ClearClaim,
    ClearMethod,
    ClearOrder,
    ClearOutcome,
)
from benchd.domain.errors import ReaderFault
from benchd.domain.handset import HandsetIdentity
from benchd.domain.ids import JobId
from benchd.domain.ports import ClearProvider
from benchd.lab.simulator.chips.chip_plan import ReaderFaults

pytestmark = [pytest.mark.asyncio, pytest.mark.rack, pytest.mark.timeout(180)]

ORDER = ClearOrder(
    job=JobId("job"),
    slot=slot_name(1),
    identity=HandsetIdentity(
        serial="s", manufacturer="Sony", model="SO-51B", android="14", build="b"
    ),
    consent="佐藤",
)
TAKES_THE_READER = """\
import os, sys
os.environ["PCSCLITE_CSOCK_NAME"] = sys.argv[1]
from smartcard import scard as s
code, context = s.SCardEstablishContext(s.SCARD_SCOPE_SYSTEM)
assert code == 0, hex(code)
code, handle, _ = s.SCardConnect(context, sys.argv[2], s.SCARD_SHARE_EXCLUSIVE, 3)
print("number", hex(code & 0xFFFFFFFF))
sys.exit(0 if code == 0 else 6)
"""


@dataclass
class SlowProvider:
    """Clears for as long as the test wants."""

    began: anyio.Event = field(default_factory=anyio.Event)
    go_on: anyio.Event = field(default_factory=anyio.Event)

    def capabilities(self, identity: HandsetIdentity) -> ClearCapabilities:
        return ClearCapabilities(
            methods=frozenset({ClearMethod.TOOL}),
            needs_network=False,
            needs_login=False,
            irreversible=True,
            max_s=60,
        )

    async def clear(self, order: ClearOrder) -> ClearClaim:
        self.began.set()
        await self.go_on.wait()
        return ClearClaim(provider="p", outcome=ClearOutcome.DONE, detail="done")

    async def abort(self) -> None:
        pass


async def test_a_tool_may_take_the_reader_that_was_just_scanned_with(tmp_path: Path) -> None:
    script = tmp_path / "tool.py"
    script.write_text(TAKES_THE_READER)
    made: list[Callable[[], ClearProvider]] = []

    def make() -> ClearProvider:
        return made[0]()

    async with reader_rack(card(1), providers={"tool": make}) as rack:
        at = rack.house.readers[1]
        options = {
            "command": [sys.executable, str(script), str(at.socket), at.name],
            "exit_codes": {"0": "done"},
            "report": r"^number (\S+)$",
        }
        made.append(external_tool("tool", options, tmp_path))
        assert (await rack.scan(1)).verdict is ChipVerdict.IN_USE
        claim = await rack.access.clear(ORDER)
        assert (claim.outcome, claim.report) == (ClearOutcome.DONE, "0x0")
        assert claim.elapsed_s > 0
        assert (await rack.scan(1)).verdict is ChipVerdict.IN_USE


async def test_no_scan_begins_before_the_clear_has_ended_and_none_beside_a_reader_that_hangs() -> (
    None
):
    provider = SlowProvider()
    async with reader_rack(card(1), card(2), providers={"p": lambda: provider}) as rack:
        verdicts: list[ChipVerdict] = []

        async def scan() -> None:
            verdicts.append((await rack.scan(1)).verdict)

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(rack.access.clear, ORDER)
            await provider.began.wait()
            exchanges = (await rack.truth(1)).exchanges
            tasks.start_soon(scan)
            # A whole scan of the neighbour: time enough for one that doesn't wait.
            assert (await rack.scan(2)).verdict is ChipVerdict.IN_USE
            assert (await rack.truth(1)).exchanges == exchanges
            assert verdicts == []
            provider.go_on.set()
        assert verdicts == [ChipVerdict.IN_USE]
        # A clear needs no reader.
        await rack.chips.kill_pcscd()
        await rack.until_gone(1)
        assert (await rack.access.clear(ORDER)).outcome is ClearOutcome.DONE
        await rack.chips.start_pcscd()
        await rack.until_there(1)
        # But it begins beside none that hangs.
        provider.began = anyio.Event()
        await rack.chips.set_faults(1, ReaderFaults(hang=True))
        with pytest.raises(ReaderFault):
            await rack.scan(1)
        claim = await rack.access.clear(ORDER)
        assert claim.outcome is ClearOutcome.RETRYABLE
        assert "field" in claim.detail
        assert not provider.began.is_set()


async def test_the_field_goes_off_at_a_word_and_the_chip_answers_after_it_as_before() -> None:
    async with reader_rack(card(1)) as rack:
        assert (await rack.scan(1)).verdict is ChipVerdict.IN_USE
        await rack.access.field_off(slot_name(1))
        assert (await rack.scan(1)).verdict is ChipVerdict.IN_USE
        # A slot without a reader has no field, and a reader that is away has none.
        await rack.access.field_off(slot_name(9))
        await rack.chips.kill_pcscd()
        await rack.until_gone(1)
        await rack.access.field_off(slot_name(1))
        await rack.chips.start_pcscd()
        await rack.until_there(1)
        # Of one that hangs nobody knows.
        await rack.chips.set_faults(1, ReaderFaults(hang=True))
        with pytest.raises(ReaderFault):
            await rack.scan(1)
        with pytest.raises(ReaderFault):
            await rack.access.field_off(slot_name(1))
