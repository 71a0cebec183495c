"""Certificates of the third form verify for ever, in the spelling of their time."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
import rfc8785

from benchd.certificate import SigningKey, gaps_of, sign_statement, verify_certificate
from benchd.certificate.envelope import Envelope, encode_envelope, signed_bytes
from benchd.certificate.third_form import THIRD_PREDICATE_TYPE
from benchd.errors import CertificateInvalid
from benchd.signing import canonical
from benchd.words.ids import Evidence
from tests.certificate.older_forms import before_what_was_free


def as_it_was(statement: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """The same statement as a benchd that didn't know its commit has made it."""
    told = before_what_was_free(statement["predicate"])
    predicate = {k: v for k, v in told.items() if k != "benchd_commit"}
    return {**statement, "predicateType": THIRD_PREDICATE_TYPE, "predicate": predicate}


def signed(payload: bytes, key: SigningKey) -> bytes:
    return encode_envelope(
        Envelope(payload=payload, key_id=key.key_id, signature=key.sign(signed_bytes(payload)))
    )


def payload_of(certificate: bytes) -> bytes:
    return base64.b64decode(json.loads(certificate)["payload"])


def test_it_verifies_as_it_was_spelled(key: SigningKey, statement: Evidence) -> None:
    old = as_it_was(statement)
    certificate = sign_statement(old, key)
    assert verify_certificate(certificate, key.public_key_pem) == old
    assert payload_of(certificate) == canonical.encode(old, ascii_only=True)


def test_todays_is_spelled_as_rfc_8785_has_it(key: SigningKey, statement: Evidence) -> None:
    certificate = sign_statement(statement, key)
    payload = payload_of(certificate)
    assert payload == rfc8785.dumps(json.loads(payload))
    assert "大宮".encode() in payload


@pytest.mark.parametrize("form", ["third", "fourth"])
def test_neither_is_taken_in_the_spelling_of_the_other(
    form: str, key: SigningKey, statement: Evidence
) -> None:
    if form == "third":
        wrong = rfc8785.dumps(json.loads(json.dumps(as_it_was(statement))))
    else:
        wrong = canonical.encode(statement, ascii_only=True)
    with pytest.raises(CertificateInvalid, match="isn't written as benchd writes it"):
        verify_certificate(signed(wrong, key), key.public_key_pem)


def test_the_commit_is_todays_alone(statement: Evidence) -> None:
    predicate: Any = statement["predicate"]
    without = {k: v for k, v in predicate.items() if k != "benchd_commit"}
    assert "benchd_commit is missing" in "; ".join(gaps_of({**statement, "predicate": without}))
    assert gaps_of({**as_it_was(statement), "predicate": predicate}) != ()
