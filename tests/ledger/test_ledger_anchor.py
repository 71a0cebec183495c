"""Anchors: what has been seen outside can't be denied, and who can't be reached stops nothing."""

from __future__ import annotations

import gzip
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx2
import pytest
import pytest_asyncio
from ledger_rack import RackKey, make_entry
from test_ledger_patrol import FakeClock
from test_ledger_patrol import Heard as Passes
from test_ledger_restore_gap import Backup

from benchd.domain.errors import AnchorUnreachable, LedgerBroken
from benchd.domain.ports import Anchor
from benchd.domain.record import EntryKind
from benchd.ledger import SqliteLedger, open_ledger, patrol
from benchd.ledger.anchor_divergence import divergence_of
from benchd.ledger.patrol import Patrol
from benchd.outbound.anchors.anchor_sender import Anchoring, witness_of
from benchd.outbound.anchors.folder_anchor import DEADLINE_S, FolderAnchor
from benchd.outbound.anchors.http_anchor import CONNECT_S, LONGEST_RECEIPT, HttpAnchor
from benchd.signing.public_key import public_key_of
from tests.outbound.hooks.http_receiver import receiving

RACK = "ab" * 32


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
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.db"


@pytest_asyncio.fixture
async def ledger(path: Path, key: RackKey) -> AsyncGenerator[SqliteLedger]:
    async with open_ledger(path, head_key=key) as opened:
        yield opened


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


@pytest.mark.asyncio
async def test_a_receipt_is_recorded_and_triggers_no_new_anchor(
    ledger: SqliteLedger, key: RackKey, folder: Path
) -> None:
    heard, notary = Heard(), Notary()
    sender = anchoring(ledger, key, [FolderAnchor(folder, RACK), notary.anchor()], heard)
    await ledger.append(make_entry(0))
    for _ in range(3):
        assert await sender.send()
    assert (ledger.head.sequence, heard.told) == (3, [1])
    receipt = await ledger.newest_of(EntryKind.LEDGER_ANCHORED)
    assert receipt is not None
    assert receipt.entry.data["sequence"] == 1
    assert receipt.entry.data["receipt"] == "no. 7"
    await ledger.append(make_entry(1))
    assert await sender.send()
    assert heard.told == [1, 4]
    assert len(next(folder.iterdir()).read_bytes().splitlines()) == 2


@pytest.mark.asyncio
@pytest.mark.parametrize("kind", ["folder", "address"])
async def test_an_older_ledger_is_found_by_its_anchor(
    path: Path, key: RackKey, folder: Path, kind: str
) -> None:
    notary = Notary()
    anchor = FolderAnchor(folder, RACK) if kind == "folder" else notary.anchor()
    async with open_ledger(path, head_key=key) as ledger:
        await ledger.append(make_entry(0))
    backup = Backup(path)
    async with open_ledger(path, head_key=key) as ledger:
        for number in range(1, 5):
            await ledger.append(make_entry(number))
        await anchoring(ledger, key, [anchor], Heard()).send()
    backup.put_back()
    witness = await witness_of(anchor, public_key_of(key.public_key_pem))
    assert witness is not None
    with pytest.raises(LedgerBroken, match="benchd ledger restored") as found:
        async with open_ledger(path, head_key=key, witnesses=[witness]):
            pytest.fail("it must not open")
    assert found.value.sequence == 5
    # Where the anchor couldn't be asked at start, it's asked before it is told anything new.
    heard = Heard()
    async with open_ledger(path, head_key=key) as ledger:
        await anchoring(ledger, key, [anchor], heard).send()
        found = await ledger.newest_of(EntryKind.LEDGER_CHECKED)
        assert found is not None
        assert found.entry.data["broken_at"] == 5
    assert heard.told == ["outrun"]
    assert await witness_of(anchor, public_key_of(key.public_key_pem)) == witness


@pytest.mark.asyncio
async def test_what_an_anchor_has_told_is_not_forgotten_until_a_restore(
    path: Path, key: RackKey, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither by a restart at which it's away, nor by a pass that finds the chain sound."""
    monkeypatch.setattr(patrol, "PAUSE_S", 0)
    anchor = FolderAnchor(folder, RACK)
    async with open_ledger(path, head_key=key) as ledger:
        await ledger.append(make_entry(0))
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


@pytest.mark.asyncio
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


@pytest.mark.asyncio
async def test_a_head_that_is_not_the_racks_says_nothing(key: RackKey, folder: Path) -> None:
    notary = Notary()
    public_key = public_key_of(key.public_key_pem)
    for anchor in (FolderAnchor(folder, RACK), notary.anchor()):
        assert await witness_of(anchor, public_key) is None
        await anchor.keep(b'{"hash":"00","sequence":9,"signature":"00"}')
        with pytest.raises(AnchorUnreachable, match="isn't this rack's"):
            await witness_of(anchor, public_key)


@pytest.mark.asyncio
async def test_a_line_that_was_cut_short_is_passed_over(folder: Path) -> None:
    anchor = FolderAnchor(folder, RACK)
    await anchor.keep(b"first")
    with next(folder.iterdir()).open("ab") as file:
        file.write(b"sec")
    assert await anchor.newest() == b"first"
    await anchor.keep(b"third")
    assert await anchor.newest() == b"third"


@pytest.mark.asyncio
async def test_a_receipt_without_end_is_cut(ledger: SqliteLedger, key: RackKey) -> None:
    notary = Notary()
    notary.receipt = "x" * 1_000_000
    await ledger.append(make_entry(0))
    assert await anchoring(ledger, key, [notary.anchor()], Heard()).send()
    receipt = await ledger.newest_of(EntryKind.LEDGER_ANCHORED)
    assert receipt is not None
    assert len(str(receipt.entry.data["receipt"])) == LONGEST_RECEIPT


@pytest.mark.asyncio
async def test_an_anchor_that_is_reached_may_take_as_long_as_its_deadline_says() -> None:
    notary = Notary()
    assert await notary.anchor().keep(b"a head") == "no. 7"
    assert notary.waited_for_s["read"] == DEADLINE_S
    assert notary.waited_for_s["connect"] == CONNECT_S


@pytest.mark.asyncio
async def test_an_anchor_that_floods_hints_is_not_read_to_the_end_of_time() -> None:
    async with receiving() as receiver:
        receiver.answer = b"HTTP/1.1 103 \r\n\r\n" * 100_000
        anchor = HttpAnchor(f"http://127.0.0.1:{receiver.port}", RACK)
        with pytest.raises(AnchorUnreachable, match="AnswerTooLong"):
            await anchor.keep(b"a head")
        receiver.answer = b"HTTP/1.1 201 Made\r\ncontent-length: 5\r\n\r\nno. 7"
        assert await anchor.keep(b"a head") == "no. 7"


@pytest.mark.asyncio
async def test_what_an_anchor_has_packed_is_not_unpacked() -> None:
    """A few bytes could become as many as they like, and no deadline ends that."""
    packed = gzip.compress(b"no. 7")
    head = b"HTTP/1.1 201 Made\r\ncontent-encoding: gzip\r\ncontent-length: %d\r\n\r\n"
    async with receiving() as receiver:
        receiver.answer = head % len(packed) + packed
        anchor = HttpAnchor(f"http://127.0.0.1:{receiver.port}", RACK)
        with pytest.raises(AnchorUnreachable, match="packed"):
            await anchor.keep(b"a head")
        [(headers, _)] = receiver.got
    assert headers["accept-encoding"] == "identity"


@pytest.mark.asyncio
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


@pytest.mark.asyncio
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
