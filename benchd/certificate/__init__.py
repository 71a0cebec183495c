"""Certificates of erasure: what the ledger proves about one handset, signed."""

from benchd.certificate.certificate_verification import verify_certificate
from benchd.certificate.issuer import DsseIssuer, sign_statement
from benchd.certificate.statement_check import gaps_of
from benchd.signing.key_store import load_rack_key
from benchd.signing.private_key import SigningKey, create_key, key_file, load_key, public_key_path

__all__ = [
    "DsseIssuer",
    "SigningKey",
    "create_key",
    "gaps_of",
    "key_file",
    "load_key",
    "load_rack_key",
    "public_key_path",
    "sign_statement",
    "verify_certificate",
]
