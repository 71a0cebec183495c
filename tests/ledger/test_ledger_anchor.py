"""Witnesses of an older state that was put back: what has been seen outside can't be denied.

Anchors are witnesses, and who can't be reached stops nothing; an honest restore is numbered above.
"""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from ledger_rack import (
    Backup,
    FakeClock,
    FillLedger,
    Passes,
    RackKey,
    add,
    broken,
    forge,
    make_entries,
    make_entry,
    opens,
    refused,
)

from benchd.domain.errors import AnchorUnreachable
from benchd.domain.ids import Evidence, JobId
from benchd.domain.ports import Anchor
from benchd.domain.record import EntryKind, Receipt
from benchd.ledger import SqliteLedger, export_lines, open_ledger, patrol, verify_ledger
from benchd.ledger.anchor_divergence import divergence_of
from benchd.ledger.head import Head
from benchd.ledger.ledger_store import LedgerStore
from benchd.ledger.patrol import Patrol
from benchd.ledger.restore_gap import GAP, number_above
from benchd.ledger.witness import Witness
from benchd.outbound.anchors.anchor_sender import Anchoring, witness_of
from benchd.outbound.anchors.folder_anchor import DEADLINE_S, FolderAnchor
from benchd.outbound.anchors.http_anchor import CONNECT_S, LONGEST_RECEIPT, HttpAnchor
from benchd.signing.public_key import public_key_of
from tests.outbound.hooks.http_receiver import receiving

RACK = "ab" * 32

pytestmark = pytest.mark.asyncio


@dataclass
class Heard:
    """A fake of what the daemon does about it."""

    told: list[object] = field(default_factory=list)

    def diverged(self) -> None:
        self.told.append("outrun")

    def anchored_before(self, sequence: int, at: object) -> None:
        self.told.append(("before", sequence))

    def anchored(self, sequence: int, at: object) -> None:
        self.told.append(sequence)

    def anchor_unreachable(self) -> None:
        self.told.append("unreachable")


def answered(status: int, body: bytes = b"") -> httpx2.Response:
    """An answer whose body has yet to be read, as one off a socket."""
    return httpx2.Response(status, stream=httpx2.ByteStream(body))


class Notary:
    """The other side of an HTTP anchor, in memory."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}
        self.status = 201
        self.receipt = "no. 7"
        self.waited_for_s: dict[str, float | None] = {}

    async def answer(self, request: httpx2.Request) -> httpx2.Response:
        self.waited_for_s |= request.extensions["timeout"]
        if self.status != 201:
            return answered(self.status)
        if request.method == "GET":
            kept = self.kept.get(request.url.path)
            return answered(404) if kept is None else answered(200, kept)
        self.kept[request.url.path] = await request.aread()
        return answered(201, self.receipt.encode())

    def anchor(self, url: str = "https://anchor.example/heads/") -> HttpAnchor:
        return HttpAnchor(url, RACK, httpx2.MockTransport(self.answer))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    mount = tmp_path / "mount"
    mount.mkdir()
    return mount


def anchoring(
    ledger: SqliteLedger, key: RackKey, anchors: Sequence[Anchor], heard: Heard
) -> Anchoring:
    return Anchoring(
        ledger,
        ledger.append,
        anchors,
        key=public_key_of(key.public_key_pem),
        clock=FakeClock(),
        sink=heard,
        every_s=900,
    )


async def newest(ledger: SqliteLedger, kind: EntryKind) -> Evidence:
    found = await ledger.newest_of(kind)
    assert found is not None
    return found.entry.data


async def test_a_receipt_is_recorded_and_triggers_no_new_anchor(
    ledger: SqliteLedger, key: RackKey, folder: Path
) -> None:
    heard, notary = Heard(), Notary()
    sender = anchoring(ledger, key, [FolderAnchor(folder, RACK), notary.anchor()], heard)
    await ledger.append(make_entry(0))
    for _ in range(3):
        assert await sender.send()
    assert (ledger.head.sequence, heard.told) == (3, [1])
    told = await newest(ledger, EntryKind.LEDGER_ANCHORED)
    assert (told["sequence"], told["receipt"]) == (1, "no. 7")
    # One that is reached may take as long as its deadline says.
    assert notary.waited_for_s["read"] == DEADLINE_S
    assert notary.waited_for_s["connect"] == CONNECT_S
    notary.receipt = "x" * 1_000_000
    await ledger.append(make_entry(1))
    assert await sender.send()
    assert heard.told == [1, 4]
    assert len(next(folder.iterdir()).read_bytes().splitlines()) == 2
    told = await newest(ledger, EntryKind.LEDGER_ANCHORED)
    assert len(str(told["receipt"])) == LONGEST_RECEIPT


@pytest.mark.parametrize("kind", ["folder", "address"])
async def test_an_older_ledger_is_found_by_its_anchor(
    path: Path, key: RackKey, folder: Path, kind: str
) -> None:
    anchor = FolderAnchor(folder, RACK) if kind == "folder" else Notary().anchor()
    await add(path, key, [make_entry(0)])
    backup = Backup(path)
    async with open_ledger(path, head_key=key) as ledger:
        for entry in make_entries(range(1, 5)):
            await ledger.append(entry)
        await anchoring(ledger, key, [anchor], Heard()).send()
    backup.put_back()
    witness = await witness_of(anchor, public_key_of(key.public_key_pem))
    assert witness is not None
    found = await refused(path, key, witness, match="benchd ledger restored")
    assert found.sequence == 5
    # Where the anchor couldn't be asked at start, it's asked before it is told anything new.
    heard = Heard()
    async with open_ledger(path, head_key=key) as ledger:
        await anchoring(ledger, key, [anchor], heard).send()
        assert (await newest(ledger, EntryKind.LEDGER_CHECKED))["broken_at"] == 5
    assert heard.told == ["outrun"]
    assert await witness_of(anchor, public_key_of(key.public_key_pem)) == witness


async def test_what_an_anchor_has_told_is_not_forgotten_until_a_restore(
    path: Path, key: RackKey, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither by a restart at which it's away, nor by a pass that finds the chain sound."""
    monkeypatch.setattr(patrol, "PAUSE_S", 0)
    anchor = FolderAnchor(folder, RACK)
    await add(path, key, [make_entry(0)])
    backup = Backup(path)
    async with open_ledger(path, head_key=key) as ledger:
        await ledger.append(make_entry(1))
        await anchoring(ledger, key, [anchor], Heard()).send()
    backup.put_back()
    async with open_ledger(path, head_key=key) as ledger:
        sender = anchoring(ledger, key, [anchor], Heard())
        for _ in range(3):
            await sender.send()
        assert ledger.head.sequence == 2
        await Patrol(ledger, ledger.append, FakeClock(), Passes()).walk()
    heard = Passes()
    async with open_ledger(path, head_key=key) as ledger:
        await Patrol(ledger, ledger.append, FakeClock(), heard).recall()
        assert heard.told[0] == "outrun"
        assert await divergence_of(ledger) is not None
        await ledger.append(replace(make_entry(2), kind=EntryKind.LEDGER_RESTORED))
        assert await divergence_of(ledger) is None


async def test_who_cannot_be_reached_stops_nothing(
    ledger: SqliteLedger, key: RackKey, tmp_path: Path
) -> None:
    heard, notary = Heard(), Notary()
    notary.status = 500
    away = [FolderAnchor(tmp_path / "not mounted", RACK), notary.anchor()]
    sender = anchoring(ledger, key, away, heard)
    await ledger.append(make_entry(0))
    assert not await sender.send()
    assert heard.told == ["unreachable"]
    assert (await ledger.append(make_entry(1))).sequence == 2
    assert not (tmp_path / "not mounted").exists()
    notary.status = 201
    assert not await sender.send()
    (tmp_path / "not mounted").mkdir()
    assert await sender.send()
    assert heard.told[-1] == 3


async def test_a_head_that_is_not_the_racks_says_nothing(key: RackKey, folder: Path) -> None:
    notary = Notary()
    public_key = public_key_of(key.public_key_pem)
    for anchor in (FolderAnchor(folder, RACK), notary.anchor()):
        assert await witness_of(anchor, public_key) is None
        await anchor.keep(b'{"hash":"00","sequence":9,"signature":"00"}')
        with pytest.raises(AnchorUnreachable, match="isn't this rack's"):
            await witness_of(anchor, public_key)


async def test_a_line_that_was_cut_short_is_passed_over(folder: Path) -> None:
    anchor = FolderAnchor(folder, RACK)
    await anchor.keep(b"first")
    with next(folder.iterdir()).open("ab") as file:
        file.write(b"sec")
    assert await anchor.newest() == b"first"
    await anchor.keep(b"third")
    assert await anchor.newest() == b"third"


async def test_an_anchor_that_floods_hints_or_packs_is_not_read_to_the_end_of_time() -> None:
    """A few packed bytes could become as many as they like, and no deadline ends that."""
    packed, made = gzip.compress(b"no. 7"), b"HTTP/1.1 201 Made\r\n"
    head = made + b"content-encoding: gzip\r\ncontent-length: %d\r\n\r\n"
    async with receiving() as receiver:
        for answer, why in (
            (b"HTTP/1.1 103 \r\n\r\n" * 100_000, "AnswerTooLong"),
            (head % len(packed) + packed, "packed"),
        ):
            receiver.answer = answer
            anchor = HttpAnchor(f"http://127.0.0.1:{receiver.port}", RACK)
            with pytest.raises(AnchorUnreachable, match=why):
                await anchor.keep(b"a head")
            receiver.answer = made + b"content-length: 5\r\n\r\nno. 7"
            assert await anchor.keep(b"a head") == "no. 7"
        # One request for each: what was refused isn't asked for again.
        assert [headers["accept-encoding"] for headers, _ in receiver.got] == ["identity"] * 4


async def test_what_opens_an_address_is_sent_and_told_nobody(
    ledger: SqliteLedger, key: RackKey
) -> None:
    await ledger.append(make_entry(0))
    async with receiving() as receiver:
        receiver.answer = b"HTTP/1.1 404 None\r\ncontent-length: 0\r\n\r\n"
        url = f"http://127.0.0.1:{receiver.port}/heads/?token=S3CRET"
        anchor = HttpAnchor(url, RACK)
        assert await anchor.newest() is None
        assert receiver.paths == [f"/heads/{RACK}?token=S3CRET"]
        receiver.answer = b"HTTP/1.1 500 ?token=S3CRET\r\ncontent-length: 0\r\n\r\n"
        with pytest.raises(AnchorUnreachable) as answered_so:
            await anchor.keep(b"a head")
        receiver.answer = b"it was ?token=S3CRET\r\n\r\n"
        with pytest.raises(AnchorUnreachable, match="RemoteProtocolError") as echoed:
            await HttpAnchor(url, RACK).keep(b"a head")
    assert "S3CRET" not in f"{anchor.name} {answered_so.value} {echoed.value}"
    notary = Notary()
    notary.receipt = "kept for token=S3CRET"
    kept = notary.anchor("https://user:S3CRET@anchor.example/heads?token=S3CRET")
    assert await anchoring(ledger, key, [kept], Heard()).send()
    receipt = await ledger.newest_of(EntryKind.LEDGER_ANCHORED)
    assert receipt is not None
    assert receipt.entry.data["anchor"] == "https://anchor.example/heads"
    assert "S3CRET" not in repr(receipt.entry)


async def test_a_daemon_recalls_how_far_all_of_its_anchors_knew_the_ledger(
    ledger: SqliteLedger, key: RackKey, folder: Path
) -> None:
    notary = Notary()
    near, far = FolderAnchor(folder, RACK), notary.anchor()
    await ledger.append(make_entry(0))
    assert await anchoring(ledger, key, [near, far], Heard()).send()
    notary.status = 500
    assert not await anchoring(ledger, key, [near, far], Heard()).send()
    assert await recalled(ledger, key, [near]) == [("before", 3)]
    # What one of them doesn't know, not all of them know.
    assert await recalled(ledger, key, [near, far]) == [("before", 1)]
    assert await recalled(ledger, key, [near, notary.anchor("https://new.example/")]) == []


async def recalled(ledger: SqliteLedger, key: RackKey, anchors: Sequence[Anchor]) -> list[object]:
    heard = Heard()
    await anchoring(ledger, key, anchors, heard).recall()
    return heard.told


RESTORED = replace(
    make_entry(0, {"operator": "佐藤", "because": "disk replaced"}),
    kind=EntryKind.LEDGER_RESTORED,
    slot=None,
    occupancy=None,
    job=None,
)

TIME = int(RESTORED.at.timestamp()) * 1_000_000


def seen(receipt: Receipt) -> Witness:
    head = Head(sequence=receipt.sequence, hash=bytes.fromhex(receipt.hash_hex))
    return Witness(told_by="a witness", head=head)


def restore(path: Path, key: RackKey, known: int, *, later: timedelta = timedelta()) -> Receipt:
    store = LedgerStore(path, key)
    receipt = store.number_on(replace(RESTORED, at=RESTORED.at + later), known=known)
    store.close()
    return receipt


async def test_an_older_state_verifies_by_itself_and_not_beside_a_witness_though_it_went_on(
    fill: FillLedger, key: RackKey
) -> None:
    path = await fill(20)
    backup = Backup(path)
    receipts = await add(path, key, make_entries(range(20, 30)))
    await opens(path, key, *map(seen, receipts))
    backup.put_back()
    assert verify_ledger(path, key.public_key_pem).records == 20
    for receipt in receipts:
        found = await refused(path, key, seen(receipt), match="benchd ledger restored")
        assert found.sequence == receipt.sequence
    await add(path, key, [make_entry(20, {"disposition": "destroy"}), make_entry(21)])
    await refused(path, key, seen(receipts[0]), match="another one")


async def test_a_certified_job_has_its_end_on_record(fill: FillLedger, key: RackKey) -> None:
    path = await fill(29)
    backup = Backup(path)
    [last] = await add(path, key, [make_entry(29)])
    backup.put_back()
    await refused(path, key, seen(last))
    *_, before_the_end = export_lines(path)
    head = Head(sequence=29, hash=bytes.fromhex(before_the_end[9:73].decode()))
    witness = Witness(told_by="a certificate", head=head, job=JobId("job-2"))
    await refused(path, key, witness, match="whose end isn't on record")
    await add(path, key, [make_entry(29)])
    await opens(path, key, witness)


async def test_an_honest_restore_numbers_on_above_all_that_is_known(
    fill: FillLedger, key: RackKey
) -> None:
    path = await fill(20)
    backup = Backup(path)
    lost = await add(path, key, make_entries(range(20, 30)))
    backup.put_back()
    receipt = restore(path, key, known=30)
    assert receipt.sequence == TIME
    [after] = await add(path, key, [make_entry(30)])
    assert after.sequence == TIME + 1
    await opens(path, key, *map(seen, [*lost, receipt, after]))
    report = verify_ledger(path, key.public_key_pem)
    assert (report.records, report.signed_records) == (22, TIME + 1)
    assert len(list(export_lines(path))) == 22
    # Once more, from a state that has a gap already, by a clock that stands still.
    assert restore(path, key, known=after.sequence).sequence == TIME + 2 * GAP
    await add(path, key, make_entries(range(150)))
    await opens(path, key, *map(seen, [*lost, receipt, after]))


async def test_no_number_comes_twice_where_nobody_knows_of_the_first_restore_any_more(
    fill: FillLedger, key: RackKey
) -> None:
    path = await fill(20)
    backup = Backup(path)
    first = restore(path, key, known=20)
    given = [first, *await add(path, key, make_entries(range(20, 30)))]
    backup.put_back()
    second = restore(path, key, known=20, later=timedelta(milliseconds=10))
    assert second.sequence > max(receipt.sequence for receipt in given)
    # A certificate of the first time is of what was lost, and accuses nobody.
    await opens(path, key, *map(seen, given))


@pytest.mark.parametrize("known", [0, 999_999, 1_000_000, TIME + 5])
async def test_a_clock_that_is_set_back_numbers_on_above_all_that_is_known(known: int) -> None:
    number = number_above(known, datetime(1970, 1, 1, tzinfo=UTC))
    assert number > known + GAP
    assert number % GAP == 0


async def test_a_restore_that_the_rack_has_not_signed_and_a_gap_that_nobody_recorded_are_none(
    fill: FillLedger, key: RackKey, tmp_path: Path
) -> None:
    path = await fill(20)
    copy = Backup(path)
    # Who has no key takes the head away; who has another writes one of his own.
    store = LedgerStore(path, key)
    store._head_key = RackKey(private=Ed25519PrivateKey.from_private_bytes(bytes(32)))
    store.number_on(RESTORED, known=20)
    store.close()
    assert "isn't signed" in str(broken(path, key))
    copy.put_back()
    restore(path, key, known=20)
    forge(path, "DELETE FROM record WHERE sequence = 20")
    assert broken(path, key).sequence == 20
