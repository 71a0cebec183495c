"""Certificates of the third form verify for ever, in the spelling of their time."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
import rfc8785

from benchd.certificate import SigningKey, gaps_of, sign_statement, verify_certificate
from benchd.certificate.envelope import Envelope, encode_envelope, signed_bytes
from benchd.certificate.sentences import Sentence
from benchd.certificate.third_form import THIRD_PREDICATE_TYPE
from benchd.errors import CertificateInvalid
from benchd.signing import canonical
from benchd.words.ids import Evidence
from tests.certificate.older_forms import before_what_was_free

from .certificate_rack import without_identity

OF_TODAY = ("benchd_commit", "sim_lock")


def as_it_was(statement: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
    """The same statement as a benchd that didn't know its commit has made it."""
    named = before_what_was_free(without_identity(statement["predicate"]))
    predicate: dict[str, Any] = {k: v for k, v in named.items() if k not in OF_TODAY}
    told = [sentence for sentence in predicate["not_reached"] if sentence != Sentence.ESIM]
    predicate = {**predicate, "not_reached": told}
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


@pytest.mark.parametrize("name", OF_TODAY)
def test_what_only_todays_form_says_is_todays_alone(statement: Evidence, name: str) -> None:
    predicate: Any = statement["predicate"]
    without = {k: v for k, v in predicate.items() if k != name}
    assert f"{name} is missing" in "; ".join(gaps_of({**statement, "predicate": without}))
    assert gaps_of({**as_it_was(statement), "predicate": predicate}) != ()


def test_row_8_an_esim_is_named_by_todays_form_alone(statement: Evidence) -> None:
    predicate: Any = statement["predicate"]
    assert Sentence.ESIM in predicate["not_reached"]
    assert "erase eSIMs too" in Sentence.ESIM
    left_out = [sentence for sentence in predicate["not_reached"] if sentence != Sentence.ESIM]
    silent = {**statement, "predicate": {**predicate, "not_reached": left_out}}
    assert gaps_of(silent) == ("not_reached isn't what the rest of it says",)
    old = as_it_was(statement)
    assert gaps_of(old) == ()
    named = {**old["predicate"], "not_reached": predicate["not_reached"]}
    assert gaps_of({**old, "predicate": named}) != ()


@pytest.mark.parametrize(
    ("state", "source", "fits"),
    [
        ("unknown", None, True),
        ("locked", "gsm.sim.state=NETWORK_LOCKED", True),
        ("locked", None, False),
        ("unknown", "gsm.sim.state=NETWORK_LOCKED", False),
    ],
)
def test_row_8_a_sim_lock_is_said_with_its_source(
    statement: Evidence, state: str, source: str | None, fits: bool
) -> None:
    predicate: Any = statement["predicate"]
    assert predicate["sim_lock"] == {"state": "unknown", "source": None}
    told = {**predicate, "sim_lock": {"state": state, "source": source}}
    assert (gaps_of({**statement, "predicate": told}) == ()) is fits
