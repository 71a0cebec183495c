"""What is found out of the ledger, as the wall, the door and the metrics have it."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from benchd.certificate import SigningKey, create_key
from benchd.config import Settings, load_settings
from benchd.daemon.integrity import Integrity
from benchd.daemon.ledger_witnesses import anchors_of, witnesses_of
from benchd.daemon.restore_break import record_restored
from benchd.domain.errors import LedgerBroken
from benchd.domain.record import Entry, EntryKind
from benchd.domain.slot import ProblemCode
from benchd.ledger import open_ledger, verify_ledger
from benchd.observe.ledger_metrics import LedgerMetrics
from benchd.slots.admission import Admission
from benchd.slots.board import RackBoard

RECIPES = Path(__file__).parents[2] / "configs" / "recipes"
AT = datetime(2026, 11, 24, tzinfo=UTC)
STARTED = Entry(kind=EntryKind.DAEMON_STARTED, at=AT)


class Rack:
    def __init__(self) -> None:
        self.board = RackBoard()
        self.admission = Admission()
        self.registry = CollectorRegistry()
        metrics = LedgerMetrics(self.registry)
        metrics.anchors.is_used = True
        self.integrity = Integrity(board=self.board, admission=self.admission, metrics=metrics)

    def notices(self) -> list[ProblemCode]:
        return [view.code for view in self.board.notices()]

    def broken(self) -> float | None:
        return self.registry.get_sample_value("benchd_ledger_broken")

    def anchored(self) -> float | None:
        return self.registry.get_sample_value("benchd_ledger_anchored_sequence")


@pytest.fixture
def rack() -> Rack:
    return Rack()


def test_a_break_holds_the_door_until_a_sound_pass(rack: Rack) -> None:
    rack.integrity.broken("record 7")
    assert (rack.admission.held_for, rack.broken()) == (ProblemCode.LEDGER_BROKEN, 1)
    assert rack.notices() == [ProblemCode.LEDGER_BROKEN]
    rack.integrity.sound(AT)
    assert (rack.admission.held_for, rack.broken(), rack.notices()) == (None, 0, [])


def test_a_sound_pass_does_not_outweigh_an_anchor(rack: Rack) -> None:
    rack.integrity.diverged()
    rack.integrity.sound(AT)
    assert rack.admission.held_for is ProblemCode.LEDGER_BROKEN
    assert (rack.broken(), rack.notices()) == (1, [ProblemCode.LEDGER_BROKEN])


def test_an_anchor_that_is_away_is_a_line_and_no_stop(rack: Rack) -> None:
    rack.integrity.anchor_unreachable()
    assert (rack.admission.held_for, rack.notices()) == (None, [ProblemCode.ANCHOR_UNREACHABLE])
    rack.integrity.anchored(7, AT)
    assert rack.notices() == []
    assert rack.anchored() == 7


def test_what_a_former_daemon_has_sent_out_says_nothing_of_the_anchor_now(rack: Rack) -> None:
    rack.integrity.anchor_unreachable()
    rack.integrity.anchored_before(7, AT)
    assert (rack.notices(), rack.anchored()) == ([ProblemCode.ANCHOR_UNREACHABLE], 7)


@pytest.mark.asyncio
async def test_an_honest_restore_opens_the_ledger_again(tmp_path: Path) -> None:
    key = create_key(tmp_path / "key.pem")
    shutil.copytree(RECIPES, tmp_path / "recipes")
    for name in ("mount", "certificates"):
        (tmp_path / name).mkdir()
    config = tmp_path / "benchd.toml"
    config.write_text(
        'site.name = "x"\nrecipes.directory = "recipes"\nhttp.socket = "s"\n'
        'certificate = { key = "key.pem", directory = "certificates" }\n'
        'ledger = { path = "ledger.db", anchor.folder = "mount" }\n'
    )
    settings = load_settings(config)
    path = settings.ledger.path
    async with open_ledger(path, head_key=key) as ledger:
        await ledger.append(STARTED)
    older = {file: file.read_bytes() for file in (path, path.with_name("ledger.db.head"))}
    async with open_ledger(path, head_key=key) as ledger:
        await ledger.append(STARTED)
        [anchor] = anchors_of(settings.ledger.anchor, key.ring)
        await anchor.keep(ledger.signed_head()[1])
    for file, data in older.items():
        file.write_bytes(data)

    with pytest.raises(LedgerBroken, match="benchd ledger restored"):
        await opened(path, key, settings)
    receipt = await record_restored(settings, operator="佐藤", because="disk replaced")
    assert receipt.sequence > 2
    await opened(path, key, settings)
    assert verify_ledger(path, key.public_key_pem).records == 2


async def opened(path: Path, key: SigningKey, settings: Settings) -> None:
    witnesses = await witnesses_of(settings, key.ring)
    assert witnesses
    async with open_ledger(path, head_key=key, witnesses=witnesses):
        pass
