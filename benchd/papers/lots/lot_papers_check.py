"""Checks lot papers, as a ZIP or unpacked: each file is named and as signed, none lacks or is more.

In a ZIP every byte counts: benchd writes one ZIP for the same files, so it's made again from what
was read, and has to be the same.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from benchd.certificate.certificate_verification import certificate_digest, verify_certificate
from benchd.domain.errors import CertificateInvalid
from benchd.papers.certificate_pdf import ENVELOPE_NAME
from benchd.papers.key_voucher import vouches
from benchd.papers.lots.archive import Archive
from benchd.papers.lots.lot_signature import MAX_BYTES, verify_lot_papers
from benchd.papers.lots.lot_statement import HandsetLine, LotPapers, NamedFile
from benchd.papers.lots.summary_page import LIST_NAME, SUMMARY_NAME, summary_of
from benchd.papers.signed_pdf import MAX_PDF_BYTES, is_signed_draft, signed_file
from benchd.papers.statement_paths import StatementPaths
from benchd.papers.typesetting import SettingFailed
from benchd.signing.key_ring import KeyRing
from benchd.texts.catalogue import Catalogue

_SHOWN: Final = 5
_LARGEST: Final = {LIST_NAME: MAX_BYTES, SUMMARY_NAME: MAX_BYTES + MAX_PDF_BYTES}


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedPapers:
    """Lot papers of which every file is as the rack has signed it."""

    papers: LotPapers
    envelope: bytes
    """The signed list itself."""
    key_id: str
    certificates: int
    page_compared: bool
    """Whether the summary is, byte for byte, what this benchd makes of the list."""
    container_compared: bool
    """Whether it was a ZIP, and that one as benchd writes it."""

    @property
    def digest(self) -> str:
        """SHA-256 of the signed list, as hex; it stands on the summary."""
        return hashlib.sha256(self.envelope).hexdigest()


class _Bundle(Protocol):
    """Files by their names."""

    def names(self) -> list[str]:
        """Of all there are, in their order."""
        ...

    def read(self, name: str, most: int) -> bytes:
        """All of a file; CertificateInvalid if it's larger."""
        ...

    def compare(self) -> None:
        """Raise CertificateInvalid if what holds the files has changed; they themselves haven't."""
        ...

    def close(self) -> None:
        """Let go of it."""
        ...


def check_papers(path: Path, ring: KeyRing, catalogue: Catalogue) -> CheckedPapers:
    """What a ZIP, or a folder with what was in it, says; raises CertificateInvalid or OSError.

    Only the keys that are given count. Of each certificate both signatures are checked.
    """
    try:
        bundle: _Bundle = _Folder(path) if path.is_dir() else _Zip(path)
        with closing(bundle):
            return _check(bundle, ring, catalogue)
    except CertificateInvalid:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.filename is not None:
            # The file itself is out of reach; without a name, it has led its reader astray.
            raise
        # The readers of ZIP, PDF, CMS and X.509 beneath raise whatever they stumble over.
        message = f"these aren't papers of benchd: {type(error).__name__}"
        raise CertificateInvalid(message) from error


def _check(bundle: _Bundle, ring: KeyRing, catalogue: Catalogue) -> CheckedPapers:
    names = bundle.names()
    if LIST_NAME not in names:
        raise CertificateInvalid(f"there is no {LIST_NAME} in it")
    signed = bundle.read(LIST_NAME, MAX_BYTES)
    papers, key_id = verify_lot_papers(signed, ring)
    _refuse_others(names, [*(file.name for file in papers.files), LIST_NAME, SUMMARY_NAME])
    lines = {line.pdf: line for line in papers.handsets if line.pdf is not None}
    # What is cheap comes first: thousands of certificates take minutes.
    for file in papers.files:
        _check_file(file, bundle.read(file.name, file.bytes))
    bundle.compare()
    for file in papers.files:
        if file.name in lines:
            data = bundle.read(file.name, file.bytes)
            _check_certificate(data, lines[file.name], ring)
    summary = bundle.read(SUMMARY_NAME, _LARGEST[SUMMARY_NAME])
    return CheckedPapers(
        papers=papers,
        key_id=key_id,
        envelope=signed,
        certificates=len(lines),
        page_compared=_check_summary(summary, signed, papers, key_id, ring, catalogue),
        container_compared=isinstance(bundle, _Zip),
    )


def _refuse_others(names: list[str], wanted: list[str]) -> None:
    missing = [name for name in wanted if name not in set(names)]
    more = [name for name in names if name not in set(wanted)]
    if missing or more or len(set(names)) != len(names):
        told = [f"{_some(missing)} missing" if missing else "", f"{_some(more)} not on the list"]
        said = [*told[:1], *(told[1:] if more else [])]
        raise CertificateInvalid("; ".join(filter(None, said)) or "a name stands twice")


def _some(names: list[str]) -> str:
    rest = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return f"{', '.join(names[:_SHOWN])}{rest}"


def _check_file(file: NamedFile, data: bytes) -> None:
    if len(data) != file.bytes or hashlib.sha256(data).hexdigest() != file.sha256:
        raise CertificateInvalid(f"{file.name} has changed since the list was signed")


def _check_certificate(pdf: bytes, line: HandsetLine, ring: KeyRing) -> None:
    envelope, vouched, _ = signed_file(pdf, ENVELOPE_NAME)
    if certificate_digest(envelope) != line.certificate or not vouches(ring.has_signed, vouched):
        raise CertificateInvalid(f"{line.pdf} isn't the certificate that the list names")
    told = StatementPaths(verify_certificate(envelope, ring))
    # That of a drawn handset stands in its recheck, and is about the drawn job.
    ended = told.text("predicate.recheck.passed.job") or told.text("predicate.job")
    if ended != line.job:
        raise CertificateInvalid(f"{line.pdf} is the certificate of another job")


def _check_summary(
    pdf: bytes,
    signed: bytes,
    papers: LotPapers,
    key_id: str,
    ring: KeyRing,
    catalogue: Catalogue,
) -> bool:
    within, vouched, added = signed_file(pdf, LIST_NAME)
    if within != signed:
        raise CertificateInvalid(f"{SUMMARY_NAME} is that of another list")
    if not vouches(ring.has_signed, vouched):
        raise CertificateInvalid("the rack's key doesn't vouch for the key that signed the summary")
    try:
        draft = summary_of(papers, signed, vouched, catalogue, key_id=key_id)
    except SettingFailed:
        return False
    return is_signed_draft(pdf, draft, added)


class _Zip:
    """A ZIP as benchd writes it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._zip = zipfile.ZipFile(path)

    def names(self) -> list[str]:
        """In the order in which they were put in."""
        return [info.filename for info in self._zip.infolist()]

    def read(self, name: str, most: int) -> bytes:
        """All of a file, which isn't packed."""
        info = self._zip.getinfo(name)
        if info.file_size > most or info.compress_type != zipfile.ZIP_STORED:
            raise CertificateInvalid(f"{name} isn't as the list says")
        return self._zip.read(info)

    def compare(self) -> None:
        """Raise unless this is the one ZIP of these files."""
        with self._path.open("rb") as raw:
            with closing(self._pieces()) as pieces:
                same = all(raw.read(len(piece)) == piece for piece in pieces)
            if not same or raw.read(1):
                raise CertificateInvalid("the ZIP was changed beside its files, or made anew")

    def _pieces(self) -> Generator[bytes]:
        again = Archive()
        try:
            for name in self.names():
                # The others' sizes are as the list says: they have been read already.
                most = _LARGEST.get(name, self._zip.getinfo(name).file_size)
                yield again.add(name, self.read(name, most))
            yield again.close()
        finally:
            again.close()

    def close(self) -> None:
        """Close the file."""
        self._zip.close()


class _Folder:
    """The same unpacked."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def names(self) -> list[str]:
        """Everything beneath it but folders; links are refused."""
        found: list[str] = []
        for path in sorted(self._path.rglob("*")):
            if path.is_symlink():
                raise CertificateInvalid(f"{path.name} is a link to elsewhere")
            if not path.is_dir():
                found.append(path.relative_to(self._path).as_posix())
        return found

    def read(self, name: str, most: int) -> bytes:
        """No more of it than one byte too many."""
        with (self._path / name).open("rb") as file:
            data = file.read(most + 1)
        if len(data) > most:
            raise CertificateInvalid(f"{name} isn't as the list says")
        return data

    def compare(self) -> None:
        """A folder is no more than its files."""

    def close(self) -> None:
        """Nothing is open."""
