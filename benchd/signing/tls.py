"""TLS with the rack's own files: checked before they count, read anew on a reload."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from benchd.domain.errors import DependencyMissing
from benchd.domain.wakeup import Bell


class FileRole(StrEnum):
    """What a file is for."""

    CERTIFICATE = "certificate"
    KEY = "key"
    CLIENT_AUTHORITY = "client_authority"


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """What TLS is made of, all as PEM."""

    certificate: Path
    """The rack's, and after it those of the authorities in between."""
    key: Path
    """The certificate's, without a password."""
    client_authority: Path | None = None
    """Whoever shows a certificate of this authority, or this very one, is the proxy."""

    def all(self) -> dict[FileRole, Path]:
        """Every file there is; two may be one and the same."""
        named = {
            FileRole.CERTIFICATE: self.certificate,
            FileRole.KEY: self.key,
            FileRole.CLIENT_AUTHORITY: self.client_authority,
        }
        return {role: file for role, file in named.items() if file is not None}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientFiles:
    """What the rack shows of itself where it's asked who it is (mutual TLS), as PEM."""

    certificate: Path
    key: Path


def verified_tls(authority: Path | None, client: ClientFiles | None) -> ssl.SSLContext:
    """TLS whose other side is always verified. Raises OSError where a file can't be used."""
    context = ssl.create_default_context(cafile=authority)
    if client is not None:
        # Without a password given, OpenSSL would ask for one on the terminal.
        context.load_cert_chain(client.certificate, client.key, password="")
    return context


@dataclass(frozen=True, slots=True, kw_only=True)
class FileMistake:
    """What is wrong with one of the files, and the cure."""

    role: FileRole
    file: Path
    message: str


class Tls:
    """The rules of new connections; those that are open keep theirs until they end."""

    def __init__(self, files: TlsFiles) -> None:
        """Read the files; DependencyMissing says which can't be used and why."""
        self.files = files
        self.context = make_context(files)
        self.renewed = Bell()
        """Rung when the connections that are open were made by rules of before."""
        self._content = _content_of(files)

    @property
    def lives(self) -> tuple[datetime, datetime]:
        """From when until when the certificate that is shown counts, whatever its file has now."""
        shown = x509.load_pem_x509_certificates(self._content[0])[0]
        return shown.not_valid_before_utc, shown.not_valid_after_utc

    def renew(self) -> bool:
        """Take over files that differ; whether they did. What can't be used changes nothing.

        Raises DependencyMissing for that.
        """
        content = _content_of(self.files)
        if content == self._content:
            return False
        self.context = make_context(self.files)
        self._content = content
        self.renewed.ring()
        return True


def make_context(files: TlsFiles) -> ssl.SSLContext:
    """TLS 1.2 and later; a client certificate is asked for where somebody may show one."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    try:
        # Without a password given, OpenSSL would ask for one on the terminal.
        context.load_cert_chain(files.certificate, files.key, password="")
        if files.client_authority is not None:
            context.load_verify_locations(files.client_authority)
            context.verify_mode = ssl.CERT_OPTIONAL
            context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
            # Each connection shows its certificate anew: a ticket would outlive its end.
            context.num_tickets = 0
            context.options |= ssl.OP_NO_TICKET
    except (OSError, ValueError) as error:
        told = next(mistakes_of(files), None)
        why = f"{told.file} {told.message}" if told else f"{files.certificate}: {error}"
        message = f"benchd can't serve TLS: {why}"
        cure = "The files of [http] in the configuration; benchd's own user has to read them."
        raise DependencyMissing(message, cure=cure) from error
    return context


def mistakes_of(files: TlsFiles, *, unreadable_counts: bool = True) -> Iterator[FileMistake]:
    """What is wrong with each file, as far as they may be read.

    Not `unreadable_counts` leaves out files that the one who looks may not read: the key is for
    benchd's own user.
    """
    public: dict[FileRole, bytes] = {}
    for role, file in files.all().items():
        try:
            public[role] = _public_key(file.read_bytes(), is_key=role is FileRole.KEY)
        except OSError as error:
            if unreadable_counts or not isinstance(error, PermissionError):
                why = (error.strerror or str(error)).lower()
                message = f"can't be read ({why}); correct the path"
                yield FileMistake(role=role, file=file, message=message)
        except (ValueError, TypeError):
            message = _UNUSABLE[role is FileRole.KEY]
            yield FileMistake(role=role, file=file, message=message)
    both = (public.get(FileRole.CERTIFICATE), public.get(FileRole.KEY))
    if None not in both and both[0] != both[1]:
        message = f"isn't the key of {files.certificate}; give the one that it was made with"
        yield FileMistake(role=FileRole.KEY, file=files.key, message=message)


def expiry_of(certificate: Path) -> datetime:
    """When the certificate of this file ends. Raises OSError or ValueError for no certificate."""
    return x509.load_pem_x509_certificates(certificate.read_bytes())[0].not_valid_after_utc


_UNUSABLE = {
    True: "isn't a private key in PEM without a password; give one that is",
    False: "isn't a certificate in PEM; give one that begins with -----BEGIN CERTIFICATE-----",
}


def _public_key(content: bytes, *, is_key: bool) -> bytes:
    if is_key:
        key = load_pem_private_key(content, password=None).public_key()
    else:
        key = x509.load_pem_x509_certificates(content)[0].public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _content_of(files: TlsFiles) -> tuple[bytes, ...]:
    try:
        return tuple(file.read_bytes() for file in files.all().values())
    except OSError as error:
        message = f"benchd can't serve TLS: {error.filename} can't be read ({error.strerror})"
        cure = "Let benchd's own user read the file: its group, and mode 0640."
        raise DependencyMissing(message, cure=cure) from error
