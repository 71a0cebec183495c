"""One form is read; those from before the first release are refused by name, with the cure."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import rfc8785

from benchd.certificate import (
    SigningKey,
    gaps_of,
    sign_statement,
    statement_check,
    verify_certificate,
)
from benchd.certificate.certificate_sentences import Sentence
from benchd.certificate.envelope import Envelope, encode_envelope, signed_bytes
from benchd.certificate.ledger_claims import Claims
from benchd.certificate.payload import decode_payload, encode_payload
from benchd.certificate.predicate import PREDICATE_TYPE, RETIRED_PREDICATE_TYPES
from benchd.domain.errors import CertificateGap, CertificateInvalid
from benchd.domain.ids import Evidence
from benchd.proof.floors import MINIMUM_SAMPLE
from benchd.signing import canonical

NEWER = "urn:benchd:certificate-of-erasure:v5"

# RFC 8785, 3.2.2: input as it stands there, and 3.2.4: its output in hexadecimal.
EXAMPLE = r"""{
  "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
  "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
  "literals": [null, true, false]
}"""
EXPECTED = (
    "7b226c69746572616c73223a5b6e756c6c2c747275652c66616c73655d2c226e756d62657273223a"
    "5b3333333333333333332e333333333333332c31652b33302c342e352c302e3030322c31652d3237"
    "5d2c22737472696e67223a22e282ac245c75303030665c6e4127425c225c5c5c5c5c222f227d"
)
# RFC 8785, 3.2.3: the order of names is that of UTF-16, not that of code points.
NAMES = ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]
# RFC 8785, appendix B.
NUMBERS = {
    5e-324: "5e-324",
    1.7976931348623157e308: "1.7976931348623157e+308",
    295147905179352830000.0: "295147905179352830000",
    9.999999999999997e22: "9.999999999999997e+22",
    1e21: "1e+21",
    0.000001: "0.000001",
    333333333.3333333: "333333333.3333333",
    -0.0: "0",
}


def sealed(payload: bytes, key: SigningKey) -> bytes:
    """What whoever has the rack's key can sign, whatever it is."""
    return encode_envelope(
        Envelope(payload=payload, key_id=key.key_id, signature=key.sign(signed_bytes(payload)))
    )


def spelled(statement: Any) -> bytes:  # noqa: ANN401 - JSON
    return rfc8785.dumps(json.loads(json.dumps(statement)))


def test_numbers_of_retired_forms_are_not_used_again() -> None:
    numbers = [int(each.rpartition(":v")[2]) for each in RETIRED_PREDICATE_TYPES]
    assert numbers == [1, 2, 3]
    assert int(PREDICATE_TYPE.rpartition(":v")[2]) > max(numbers)


@pytest.mark.parametrize("form", RETIRED_PREDICATE_TYPES)
@pytest.mark.parametrize(
    "spelling", [spelled, lambda told: canonical.encode(told, ascii_only=True)]
)
def test_a_retired_form_is_refused_by_its_name_with_the_cure(
    form: str, spelling: Callable[[Evidence], bytes], key: SigningKey, statement: Evidence
) -> None:
    former = {**statement, "predicateType": form}
    with pytest.raises(CertificateInvalid) as refused:
        verify_certificate(sealed(spelling(former), key), key.public_key_pem)
    assert form in str(refused.value)
    assert "erase its handset again" in str(refused.value)
    assert Claims(key.public_key_pem).of(sealed(spelling(former), key)) is None


@pytest.mark.parametrize("form", RETIRED_PREDICATE_TYPES)
def test_none_of_a_retired_form_is_signed(form: str, key: SigningKey, statement: Evidence) -> None:
    former = {**statement, "predicateType": form}
    [gap] = gaps_of(former)
    assert form in gap
    with pytest.raises(CertificateGap, match="erase its handset again"):
        sign_statement(former, key)


def test_a_form_that_is_newer_is_refused(key: SigningKey, statement: Evidence) -> None:
    newer = {**statement, "predicateType": NEWER}
    assert "predicateType" in "; ".join(gaps_of(newer))
    with pytest.raises(CertificateInvalid, match="predicateType"):
        verify_certificate(sealed(spelled(newer), key), key.public_key_pem)


def test_a_second_form_is_its_rules_by_its_type_and_the_first_is_read_on(
    key: SigningKey, statement: Evidence, monkeypatch: pytest.MonkeyPatch
) -> None:
    """docs/extending.md, A second form."""

    def rules(told: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
        if told["predicate"].get("weight_g") is None:
            yield "nobody has weighed it"

    second = {**statement, "predicateType": NEWER, "predicate": {"weight_g": 172}}
    light = {**second, "predicate": {"weight_g": None}}
    monkeypatch.setattr(statement_check, "FORMS", {**statement_check.FORMS, NEWER: rules})
    for told in (statement, second):
        assert verify_certificate(sign_statement(told, key), key.public_key_pem) == told
    with pytest.raises(CertificateGap, match="nobody has weighed it"):
        sign_statement(light, key)
    # Neither is judged by the other's rules.
    assert gaps_of({**second, "predicateType": PREDICATE_TYPE})
    assert gaps_of({**statement, "predicateType": NEWER}) == ("nobody has weighed it",)


def test_it_is_spelled_as_rfc_8785_has_it_and_taken_in_no_other_spelling(
    key: SigningKey, statement: Evidence
) -> None:
    payload = base64.b64decode(json.loads(sign_statement(statement, key))["payload"])
    assert payload == rfc8785.dumps(json.loads(payload))
    assert "大宮".encode() in payload
    with pytest.raises(CertificateInvalid, match="isn't written as benchd writes it"):
        verify_certificate(
            sealed(canonical.encode(statement, ascii_only=True), key), key.public_key_pem
        )


def test_a_sample_that_is_too_small_is_refused(statement: Evidence) -> None:
    predicate: Any = statement["predicate"]
    written = predicate["overwrite"]["bytes_written"]
    for share, fits in ((MINIMUM_SAMPLE + 0.001, True), (MINIMUM_SAMPLE - 0.001, False)):
        read = {**predicate["verification"], "mode": "sampled", "coverage": 0.0}
        read |= {"bytes_proven": int(share * written), "minimum_coverage": 0.0}
        told = {**predicate, "verification": read}
        gaps = "; ".join(gaps_of({**statement, "predicate": told}))
        assert ("the sample that was read is too small" not in gaps) is fits


def test_row_8_an_esim_is_named(statement: Evidence) -> None:
    predicate: Any = statement["predicate"]
    assert Sentence.ESIM in predicate["not_reached"]
    assert "erase eSIMs too" in Sentence.ESIM
    left_out = [sentence for sentence in predicate["not_reached"] if sentence != Sentence.ESIM]
    silent = {**statement, "predicate": {**predicate, "not_reached": left_out}}
    assert gaps_of(silent) == ("not_reached isn't what the rest of it says",)


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


ASKED = (
    "asked right before this certificate, the fleet's centre had nothing of other racks against the"
    " handset"
)
BEFORE, LATER = "2026-11-24T09:30:00+00:00", "2036-11-24T09:30:00+00:00"


@pytest.mark.parametrize(
    ("asked_at", "says", "fits"),
    [
        (None, "other racks not asked", True),
        (BEFORE, ASKED, True),
        (None, ASKED, False),
        (BEFORE, "other racks not asked", False),
        (LATER, ASKED, False),
        (None, "all racks asked", False),
    ],
)
def test_that_other_racks_were_asked_is_said_only_where_they_were(
    statement: Evidence, asked_at: str | None, says: str, fits: bool
) -> None:
    predicate: Any = statement["predicate"]
    assert predicate["other_racks"] == {"asked_at": None, "says": "other racks not asked"}
    told = {**predicate, "other_racks": {"asked_at": asked_at, "says": says}}
    assert (gaps_of({**statement, "predicate": told}) == ()) is fits


def test_the_example_of_rfc_8785_is_spelled_as_it_has_it() -> None:
    assert encode_payload(json.loads(EXAMPLE)).hex() == EXPECTED


def test_names_are_in_the_order_of_rfc_8785() -> None:
    spelled = encode_payload(dict.fromkeys(reversed(NAMES)))
    assert list(json.loads(spelled)) == NAMES


@pytest.mark.parametrize("number", NUMBERS)
def test_numbers_are_spelled_as_rfc_8785_has_them(number: float) -> None:
    assert encode_payload(number).decode() == NUMBERS[number]


@pytest.mark.parametrize(
    "other",
    [
        b'{"a":1,"a":1}',
        b'{"b":1,"a":1}',
        b'{"a": 1}',
        b'{"a":1.0}',
        b'{"a":"\\u0041"}',
        b'{"a":NaN}',
        b'{"a":"\\ud800"}',
        b'{"a":9007199254740993}',
        b"[" * 100_000,
        b"\xff",
    ],
)
def test_no_other_spelling_of_a_payload_is_read(other: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode_payload(other)
