"""Lot papers are whole or refused: no edit, no missing file, no other, no other kind of file."""

from __future__ import annotations

import base64
import json
import os
import random
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from securesystemslib.dsse import Envelope as StrangersEnvelope
from securesystemslib.signer._key import SSlibKey

from benchd.certificate import SigningKey, create_key, verify_certificate
from benchd.certificate.envelope import PAYLOAD_TYPE as CERTIFICATE_TYPE
from benchd.certificate.envelope import Envelope, encode_envelope, signed_bytes
from benchd.domain.errors import CertificateInvalid
from benchd.domain.ids import Evidence
from benchd.papers.lots.archive import Archive
from benchd.papers.lots.lot_papers_check import CheckedPapers, check_papers
from benchd.papers.lots.lot_signature import PAYLOAD_TYPE, verify_lot_papers
from benchd.signing.key_ring import KeyRing
from benchd.signing.rotation import Retired, Retirement, rotate
from tests.papers.papers_made import CATALOGUE, signed

EDITS = 1_000
SEED = int(os.environ.get("BENCHD_EDITS_SEED", "19"))


def check(path: Path, ring: KeyRing) -> CheckedPapers:
    return check_papers(path, ring, CATALOGUE)


def listed(papers: Path) -> bytes:
    with zipfile.ZipFile(papers) as found:
        return found.read("lot-papers.json")


def unseen(papers: Path, count: int, ring: KeyRing, folder: Path) -> list[int]:
    """Places at which another byte isn't noticed; half of them beside the files' own bytes."""
    data = papers.read_bytes()
    rng = random.Random(SEED)
    with zipfile.ZipFile(papers) as found:
        heads = [info.header_offset for info in found.infolist()]
        end = found.start_dir
    places = [at + rng.randrange(30) for at in heads for _ in range(4)]
    places += [rng.randrange(end, len(data)) for _ in range(count // 2)]
    places += [rng.randrange(len(data)) for _ in range(count - len(places))]
    missed: list[int] = []
    file = folder / "edited.zip"
    for at in places[:count]:
        other = data[at] ^ (1 << rng.randrange(8))
        file.write_bytes(data[:at] + bytes([other]) + data[at + 1 :])
        try:
            check(file, ring)
        except CertificateInvalid:
            continue
        missed.append(at)
    return missed


def test_a_thousand_edits_of_one_byte_are_all_found(
    papers: Path, key: SigningKey, tmp_path: Path
) -> None:
    assert check(papers, key.ring).container_compared
    assert unseen(papers, EDITS, key.ring, tmp_path) == []


def made_anew(papers: Path, to: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """Packed as benchd packs, with other files in it."""
    with zipfile.ZipFile(papers) as found:
        files = {name: found.read(name) for name in found.namelist()}
    change(files)
    archive = Archive()
    pieces = [archive.add(name, data) for name, data in files.items()]
    to.write_bytes(b"".join([*pieces, archive.close()]))
    return to


def first_pdf(files: dict[str, bytes]) -> str:
    return next(name for name in files if name.startswith("certificates/"))


def swap(files: dict[str, bytes]) -> None:
    one, other = [name for name in files if name.startswith("certificates/")]
    files[one], files[other] = files[other], files[one]


CHANGES: dict[str, tuple[Callable[[dict[str, bytes]], object], str]] = {
    "one missing": (lambda files: files.pop(first_pdf(files)), "missing"),
    "one more": (lambda files: files.update({"certificates/more.pdf": b"%PDF-"}), "not on"),
    "no list": (lambda files: files.pop("lot-papers.json"), "no lot-papers"),
    "no summary": (lambda files: files.pop("summary.pdf"), "summary.pdf missing"),
    "another table": (lambda files: files.update({"handsets.csv": b"x"}), "has changed"),
    "outside": (lambda files: files.update({"../x": b""}), "not on the list"),
    "a page for the summary": (
        lambda files: files.update({"summary.pdf": files[first_pdf(files)]}),
        "doesn't have the files",
    ),
    "each other's certificates": (swap, r"isn't as the list says|has changed"),
    "the list unsigned": (
        lambda files: files.update({"lot-papers.json": b"{}"}),
        "isn't one of benchd",
    ),
}


@pytest.mark.parametrize(
    ("name", "unpacked"),
    [
        (name, unpacked)
        for name in CHANGES
        for unpacked in (False, True)
        # Nothing unpacks a name that leads outside to where it says.
        if not (unpacked and name == "outside")
    ],
)
def test_files_are_all_that_were_signed_and_no_other(
    papers: Path, key: SigningKey, tmp_path: Path, name: str, unpacked: bool
) -> None:
    change, why = CHANGES[name]
    file = made_anew(papers, tmp_path / "x.zip", lambda files: (change(files), None)[1])
    if unpacked:
        file = unpack(file, tmp_path / "folder")
    with pytest.raises(CertificateInvalid, match=why):
        check(file, key.ring)


def unpack(file: Path, to: Path) -> Path:
    with zipfile.ZipFile(file) as found:
        found.extractall(to)
    return to


def test_unpacked_it_is_the_same_but_for_the_container(
    papers: Path, key: SigningKey, tmp_path: Path
) -> None:
    folder = unpack(papers, tmp_path / "folder")
    told = check(folder, key.ring)
    assert (told.certificates, told.page_compared, told.container_compared) == (2, True, False)
    (folder / "handsets.csv").unlink()
    (folder / "handsets.csv").symlink_to("/etc/hostname")
    with pytest.raises(CertificateInvalid, match="link"):
        check(folder, key.ring)


@pytest.mark.parametrize("where", ["before", "behind", "packed"])
def test_a_zip_that_others_read_the_same_is_still_another(
    papers: Path, key: SigningKey, tmp_path: Path, where: str
) -> None:
    file = tmp_path / "x.zip"
    data = papers.read_bytes()
    if where == "packed":
        with zipfile.ZipFile(papers) as one, zipfile.ZipFile(file, "w") as other:
            for name in one.namelist():
                other.writestr(name, one.read(name))
    else:
        file.write_bytes(b"x" + data if where == "before" else data + b"x")
    with pytest.raises(CertificateInvalid):
        check(file, key.ring)


def test_another_racks_key_and_one_that_is_retired_count_for_nothing(
    papers: Path, key: SigningKey, tmp_path: Path
) -> None:
    """A retired one's thief could make any; certificates within count, if its end names them."""
    other = create_key(tmp_path / "other.key")
    with pytest.raises(CertificateInvalid, match="another key"):
        check(papers, other.ring)
    told = Retirement(
        why=Retired.ROTATED,
        at=datetime(2026, 12, 1, tzinfo=UTC),
        sequence=99,
        head_hash="0" * 64,
        certificates=frozenset(),
        papers=frozenset(),
        secrets_sha256="0" * 64,
    )
    ring = key.ring.with_rotation(rotate(key.private, other.private, told, None))
    with pytest.raises(CertificateInvalid, match="retired"):
        check(papers, ring)
    assert check(papers, key.ring).certificates == 2


def test_strangers_library_verifies_the_list_under_its_own_type(
    papers: Path, key: SigningKey
) -> None:
    envelope = StrangersEnvelope.from_dict(json.loads(listed(papers)))
    assert envelope.payload_type == PAYLOAD_TYPE == "application/vnd.benchd.lot-papers+json"
    public = SSlibKey.from_crypto(key.public, keyid=key.key_id)
    assert set(envelope.verify([public], 1)) == {key.key_id}
    assert json.loads(envelope.payload)["type"] == "urn:benchd:lot-papers:v1"


def relabelled(envelope: bytes, key: SigningKey, kind: str, *, sign: bool = False) -> bytes:
    """The same payload under another type, which is signed where it's said so."""
    told = json.loads(envelope)
    payload = base64.b64decode(told["payload"])
    signature = base64.b64decode(told["signatures"][0]["sig"])
    if sign:
        signature = key.sign(signed_bytes(payload, kind))
    return encode_envelope(Envelope(payload=payload, key_id=key.key_id, signature=signature), kind)


def test_a_list_is_never_a_certificate_and_a_certificate_never_a_list(
    papers: Path, statement: Evidence, key: SigningKey
) -> None:
    """The type is under the signature: writing another beside it doesn't help."""
    certificate = signed(statement, key).envelope
    for verify, envelope, why in (
        (verify_certificate, listed(papers), "not an in-toto statement"),
        (
            verify_certificate,
            relabelled(listed(papers), key, CERTIFICATE_TYPE),
            "signature doesn't fit",
        ),
        (verify_lot_papers, certificate, "isn't one of benchd"),
        (
            verify_lot_papers,
            relabelled(certificate, key, PAYLOAD_TYPE),
            "signature doesn't fit",
        ),
        (
            verify_lot_papers,
            relabelled(certificate, key, PAYLOAD_TYPE, sign=True),
            "isn't a list of benchd",
        ),
    ):
        with pytest.raises(CertificateInvalid, match=why):
            verify(envelope, key.ring)
