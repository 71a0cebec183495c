"""What a retired key has signed beside certificates, papers over several keys, and anchors."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import anyio
import anyio.to_thread
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from structlog.testing import capture_logs

from benchd.certificate import SigningKey, load_key
from benchd.certificate.signed_pictures import sign_picture
from benchd.config import Settings
from benchd.config.config_sections import AnchorSettings
from benchd.config.fresh_pictures import text_of
from benchd.daemon.applied_settings import own_pictures
from benchd.daemon.ledger_witnesses import anchors_of, anchors_that_know
from benchd.daemon.rack_metrics import key_created
from benchd.daemon.rack_papers import lot_press_of
from benchd.daemon.system_clock import SystemClock
from benchd.devices.felica.verdict.baselines import parse_baselines
from benchd.devices.felica.verdict.capture import signed_capture
from benchd.devices.felica.verdict.nodes import shipped_catalogue
from benchd.domain.chip import BaselineKind
from benchd.domain.errors import AnchorUnreachable, CertificateInvalid
from benchd.domain.job import Disposition
from benchd.domain.lot_papers import AskedPapers, PapersOf
from benchd.domain.ports import Anchor
from benchd.intake.intake_store import IntakeStore
from benchd.ledger import open_ledger
from benchd.ledger.head import Head, encode_head
from benchd.ledger.records.records_access import Records
from benchd.outbound.anchors.anchor_sender import Anchoring, witness_of
from benchd.papers.lots.lot_papers_check import CheckedPapers, check_papers
from benchd.proof.grade_book import GradeBook
from benchd.signing.key_ring import KeyRing
from benchd.signing.paper_keys import signer_of, signer_text
from benchd.texts.catalogue import Catalogue
from tests.core.pictures import picture
from tests.daemon.rotated_rack import (
    AT,
    FIRST,
    JOBS,
    Rack,
    issuer_of,
    key_of,
    make_rack,
    rotated,
    sell,
    settings_in,
)
from tests.web.web_fakes import FakeClock

pytestmark = pytest.mark.asyncio

CATALOGUE = shipped_catalogue()
BASELINE = """
[[baseline]]
name = "{name}"
version = 1
kind = "observed"
ic_types = ["18"]
provenance = "Model X: 未利用"

[[baseline.system]]
code = "FE00"
nodes = ["0000-FFFE"]
"""


def put_picture(settings: Settings, key: SigningKey, name: str, **changes: object) -> None:
    settings.fresh_folder.mkdir(exist_ok=True)
    file = settings.fresh_folder / f"{name}.picture.toml"
    file.write_text(text_of(sign_picture(picture(**changes), key)))


def captured(key: SigningKey, name: str) -> str:
    text = BASELINE.format(name=name).lstrip()
    return signed_capture(text, sign=key.sign, catalogue=CATALOGUE)


async def test_pictures_taken_before_count_and_forged_ones_do_not(
    rack: Settings, tmp_path: Path
) -> None:
    stolen = load_key(rack.certificate.key)
    put_picture(rack, stolen, "one")
    rack = settings_in(tmp_path)
    assert len(own_pictures(rack, key_of(rack)).all) == 1
    await rotated(rack)
    put_picture(rack, stolen, "two", build="TQ3B")
    rack = settings_in(tmp_path)
    assert len(rack.fresh_pictures) == 2
    [kept] = own_pictures(rack, key_of(rack)).all
    assert kept.picture.build == "TQ2A"
    await rotated(rack)
    assert len(own_pictures(rack, key_of(rack)).all) == 1


async def test_baselines_captured_before_count_in_the_readers_worker(
    rack: Settings, tmp_path: Path
) -> None:
    stolen = load_key(rack.certificate.key)
    texts = {name: captured(stolen, name) for name in ("before", "after")}
    (tmp_path / "before.toml").write_text(texts["before"])
    felica = replace(rack.felica, baselines=(tmp_path / "before.toml",))
    await rotated(replace(rack, felica=felica))
    key = key_of(rack)
    texts["new"] = captured(key, "new")
    signer = signer_of(signer_text(key.public_key_pem, key.ring))
    kinds = {
        name: parse_baselines(text, name, CATALOGUE, signer=signer)[0].kind
        for name, text in texts.items()
    }
    assert kinds == {
        "before": BaselineKind.OBSERVED,
        "after": BaselineKind.INFERRED,
        "new": BaselineKind.OBSERVED,
    }


async def test_the_age_of_the_key_is_that_of_the_last_rotation(tmp_path: Path) -> None:
    settings, clock = make_rack(tmp_path), SystemClock()
    await sell(settings, FIRST)
    key = key_of(settings)
    async with open_ledger(settings.ledger.path, head_key=key) as ledger:
        first = await ledger.entry_at(1)
        assert first is not None
        assert await key_created(key.ring, ledger, clock) == first.entry.at
    await rotated(settings)
    key = key_of(settings)
    async with open_ledger(settings.ledger.path, head_key=key, ring=key.ring) as ledger:
        created = await key_created(key.ring, ledger, clock)
    assert created == key.ring.rotations[0].retirement.at
    assert created > first.entry.at


DAY = AskedPapers(of=PapersOf.DAY, name="2026-11-25", begin=AT, end=AT + timedelta(days=1))


async def papers_of(rack: Rack, file: Path) -> Path:
    settings, key = rack.settings, key_of(rack.settings)
    async with open_ledger(settings.ledger.path, head_key=key, ring=key.ring) as ledger:
        records = Records(file.with_suffix(".sqlite"), ledger)
        async with anyio.create_task_group() as group:
            group.start_soon(records.run)
            press = lot_press_of(
                settings,
                key,
                stored=ledger,
                ledger=ledger,
                issuer=issuer_of(settings, key),
                records=records,
                intake=IntakeStore(ledger, FakeClock()),
                grades=GradeBook(),
                holder=lambda _: None,
                clock=FakeClock(),
            )
            made = await press.export(DAY)
            file.write_bytes(b"".join([piece async for piece in made]))
            group.cancel_scope.cancel()
    return file


async def test_certificates_of_three_keys_are_in_papers_that_the_newest_signs(
    sold: Rack, tmp_path: Path
) -> None:
    async def checked(file: Path, ring: KeyRing) -> CheckedPapers:
        return await anyio.to_thread.run_sync(check_papers, file, ring, Catalogue.load())

    file = await papers_of(sold, tmp_path / "papers.zip")
    found = await checked(file, sold.ring())
    assert found.key_id == key_of(sold.settings).key_id
    assert [line.job for line in found.papers.handsets] == list(JOBS)
    assert {line.disposition for line in found.papers.handsets} == {Disposition.SELLABLE}
    assert found.certificates == 3
    # All three are of one IMEI: it is one handset, sold once.
    assert (found.papers.counts.handsets, found.papers.counts.certified) == (1, 1)
    assert found.page_compared
    # Without the ring, two of its certificates are of keys that nobody has given.
    with pytest.raises(CertificateInvalid, match="another key"):
        await checked(file, KeyRing.of(sold.stolen[-1].public))
    await rotated(sold.settings)
    ring = key_of(sold.settings).ring
    with pytest.raises(CertificateInvalid, match="made again"):
        await checked(file, ring)
    again = await papers_of(sold, tmp_path / "again.zip")
    assert (await checked(again, ring)).papers.counts == found.papers.counts


@dataclass
class Heard:
    """A fake of what the daemon does about it."""

    told: list[object] = field(default_factory=list)

    def diverged(self) -> None:
        self.told.append("outrun")

    def anchored_before(self, sequence: int, at: datetime) -> None:
        self.told.append(("before", sequence))

    def anchored(self, sequence: int, at: datetime) -> None:
        self.told.append(sequence)

    def anchor_unreachable(self) -> None:
        self.told.append("unreachable")


async def kept_anchor(settings: Settings) -> tuple[Anchor, int]:
    """The head of the rack as it is now, sent out; whom to, and the head's number."""
    key = key_of(settings)
    async with open_ledger(settings.ledger.path, head_key=key, ring=key.ring) as ledger:
        anchor = anchor_of(settings, key)
        await anchor.keep(ledger.signed_head()[1])
        return anchor, ledger.head.sequence


def anchor_of(settings: Settings, key: SigningKey) -> Anchor:
    folder = settings.ledger.path.parent / "mount"
    folder.mkdir(exist_ok=True)
    [anchor] = anchors_of(AnchorSettings(folder=folder), key.ring)
    return anchor


async def test_an_anchor_knows_the_rack_by_its_first_key(rack: Settings) -> None:
    first = key_of(rack)
    await sell(rack, FIRST)
    anchor, sequence = await kept_anchor(rack)
    witness = await witness_of(anchor, first.ring)
    assert witness is not None
    assert witness.head.sequence == sequence
    await rotated(rack)
    key = key_of(rack)
    assert key.ring.rack == first.key_id
    later = anchor_of(rack, key)
    assert await later.newest() == await anchor.newest()
    # What it tells up to the rotation, the ring tells as well, by a key that nobody has stolen.
    assert await witness_of(later, key.ring) is None
    _, sequence = await kept_anchor(rack)
    witness = await witness_of(anchor, key.ring)
    assert witness is not None
    assert witness.head.sequence == sequence


@pytest.mark.parametrize("beyond", [False, True])
async def test_a_stolen_old_key_at_an_anchor_stops_nothing(rack: Settings, beyond: bool) -> None:
    await sell(rack, FIRST)
    stolen = load_key(rack.certificate.key)
    await rotated(rack)
    anchor, sequence = await kept_anchor(rack)
    lie = Head(sequence=sequence + 5 if beyond else sequence - 2, hash=bytes(32))
    await anchor.keep(encode_head(lie, stolen))
    key = key_of(rack)
    with capture_logs() as logs:
        witnesses = await anchors_that_know([anchor], key.ring)
    assert [(one["event"], one["log_level"]) for one in logs] == [
        ("anchor_head_ignored", "warning")
    ]
    heard = Heard()
    async with open_ledger(
        rack.ledger.path, head_key=key, ring=key.ring, witnesses=witnesses
    ) as ledger:
        sender = Anchoring(
            ledger,
            ledger.append,
            [anchor],
            key=key.ring,
            clock=SystemClock(),
            sink=heard,
            every_s=900,
        )
        assert await sender.send()
    assert heard.told == [sequence]
    # And what is sent out next counts again.
    witness = await witness_of(anchor, key.ring)
    assert witness is not None
    assert witness.head.sequence == sequence


async def test_a_head_that_no_key_of_the_rack_has_signed_is_nobodys(rack: Settings) -> None:
    await sell(rack, FIRST)
    await rotated(rack)
    anchor, sequence = await kept_anchor(rack)
    stranger = SigningKey(Ed25519PrivateKey.generate())
    await anchor.keep(encode_head(Head(sequence=sequence, hash=bytes(32)), stranger))
    with pytest.raises(AnchorUnreachable, match="isn't this rack's"):
        await witness_of(anchor, key_of(rack).ring)
