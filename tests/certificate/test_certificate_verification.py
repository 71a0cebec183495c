"""A certificate counts only as it was signed, by the key that is given, for a whole erasure."""

from __future__ import annotations

import base64
import copy
import json
import random
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from securesystemslib.dsse import Envelope as DsseEnvelope
from securesystemslib.signer._key import SSlibKey

from benchd.certificate import SigningKey, gaps_of, sign_statement, verify_certificate
from benchd.domain.errors import CertificateGap, CertificateInvalid, UsageRefused
from benchd.domain.ids import Evidence
from benchd.signing import canonical
from tests.certificate.certificate_rack import CAPACITY, ERASER
from tests.certificate.test_certificate_forms import sealed, spelled

Document = dict[str, Any]
Json = Any


def sign_anything(statement: object, key: SigningKey) -> bytes:
    """What a forger signs who has the rack's key but not its code."""
    return sealed(spelled(statement), key)


def encoded(envelope: Document) -> bytes:
    """An envelope in the one spelling that benchd takes."""
    return json.dumps(envelope, sort_keys=True, separators=(",", ":")).encode()


def refused(broken: Document, key: SigningKey, reason: str) -> None:
    """Neither does the rack sign this statement nor does anybody take it who has it signed."""
    with pytest.raises(CertificateGap):
        sign_statement(broken, key)
    assert reason in refusal(sign_anything(broken, key), key.public_key_pem)


def refusal(data: bytes, public_key_pem: bytes) -> str:
    with pytest.raises(CertificateInvalid) as caught:
        verify_certificate(data, public_key_pem)
    return str(caught.value)


def test_round_trip(key: SigningKey, statement: Evidence) -> None:
    data = sign_statement(statement, key)
    assert verify_certificate(data, key.public_key_pem) == json.loads(canonical.encode(statement))
    assert data == sign_statement(statement, key)
    assert data.isascii()


def test_securesystemslib_reads_it_too(key: SigningKey, statement: Evidence) -> None:
    data = sign_statement(statement, key)
    envelope = DsseEnvelope.from_dict(json.loads(data))
    public_key = SSlibKey.from_crypto(key.private.public_key(), keyid=key.key_id)
    assert set(envelope.verify([public_key], 1)) == {key.key_id}
    assert json.loads(envelope.payload)["predicate"]["method"] == "Clear"


def places(data: bytes) -> dict[str, range]:
    """Where in the file each class of bytes lies."""
    found: dict[str, range] = {}
    for name in ("payload", "payloadType", "keyid", "sig"):
        start = data.index(f'"{name}":"'.encode()) + len(name) + 4
        found[name] = range(start, data.index(b'"', start))
    used = {place for area in found.values() for place in area}
    rest = [place for place in range(len(data)) if place not in used]
    return found | {f"syntax {place}": range(place, place + 1) for place in rest}


def test_any_changed_byte_is_refused(key: SigningKey, statement: Evidence) -> None:
    data = sign_statement(statement, key)
    random_ = random.Random(20261124)
    areas = places(data)
    tries = [random_.randrange(len(data)) for _ in range(500)]
    for area in areas.values():
        tries += [area[0], area[-1], *random_.choices(area, k=min(40, len(area)))]
    for place in tries:
        changed = bytearray(data)
        changed[place] ^= random_.randint(1, 255)
        assert refusal(bytes(changed), key.public_key_pem)


def test_any_other_spelling_is_refused(key: SigningKey, statement: Evidence) -> None:
    data = sign_statement(statement, key)
    envelope: Document = json.loads(data)
    slack = copy.deepcopy(envelope)
    signature: str = slack["signatures"][0]["sig"]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = signature.rstrip("=")[-1]
    slack["signatures"][0]["sig"] = signature.replace(
        last + "==", alphabet[alphabet.index(last) + 1] + "=="
    )
    assert base64.b64decode(slack["signatures"][0]["sig"]) == base64.b64decode(signature)
    url_safe = copy.deepcopy(envelope)
    url_safe["payload"] = envelope["payload"].rstrip("=") + "\n"
    for other in (
        data + b"\n",
        b" " + data,
        data.replace(b'":', b'": ', 1),
        b"\xef\xbb\xbf" + data,
        json.dumps(envelope).encode(),
        json.dumps(envelope, indent=2).encode(),
        encoded(slack),
        encoded(url_safe),
        data.replace(b'"keyid"', b'"keyid":"","keyid"', 1),
        data.replace(b"Type", b"\\u0054ype", 1),
        data[:-1],
        b"",
        b"{}",
        b"[]",
        b"null",
        b"[" * 100_000,
        b"9" * 10_000,
        b"\xff" * 100,
        b'{"payload":1e999}',
        b" " * (1 << 21),
    ):
        assert refusal(other, key.public_key_pem)


def test_another_key_is_refused(key: SigningKey, statement: Evidence) -> None:
    data = sign_statement(statement, key)
    other = SigningKey(Ed25519PrivateKey.generate())
    assert "another key" in refusal(data, other.public_key_pem)
    renamed = data.replace(key.key_id.encode(), other.key_id.encode())
    assert "signature doesn't fit" in refusal(renamed, other.public_key_pem)


def test_a_key_that_is_none_is_a_mistake_of_the_asker(key: SigningKey, statement: Evidence) -> None:
    data = sign_statement(statement, key)
    curve = generate_private_key(SECP256R1()).public_key()
    for pem in (
        b"",
        b"no key",
        curve.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        key.public_key_pem[:60],
    ):
        with pytest.raises(UsageRefused):
            verify_certificate(data, pem)


def test_a_key_inside_the_file_is_never_taken(key: SigningKey, statement: Evidence) -> None:
    forger = SigningKey(Ed25519PrivateKey.generate())
    document: Document = dict(statement)
    document["predicate"] = {
        **document["predicate"],
        "public_key": forger.public_key_pem.decode(),
        "keyid": key.key_id,
    }
    inside = sign_anything(document, forger)
    assert "another key" in refusal(inside, key.public_key_pem)
    posing = inside.replace(forger.key_id.encode(), key.key_id.encode(), 1)
    assert "signature doesn't fit" in refusal(posing, key.public_key_pem)
    for extra in ("publicKey", "key", "cert"):
        for place in (lambda envelope: envelope, lambda envelope: envelope["signatures"][0]):
            envelope: Document = json.loads(posing)
            place(envelope)[extra] = forger.public_key_pem.decode()
            assert refusal(encoded(envelope), key.public_key_pem)


def test_one_signature_of_the_right_type(key: SigningKey, statement: Evidence) -> None:
    envelope: Document = json.loads(sign_statement(statement, key))
    for change, reason in (
        ({"signatures": []}, "0 signatures"),
        ({"signatures": envelope["signatures"] * 2}, "2 signatures"),
        ({"payloadType": "text/plain"}, "not an in-toto statement"),
        ({"payload": 7}, "form of a certificate"),
    ):
        assert reason in refusal(encoded({**envelope, **change}), key.public_key_pem)


def paths_in(value: Json, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every field of a document, as the keys that lead to it."""
    found: list[tuple[str | int, ...]] = [path] if path else []
    if isinstance(value, dict):
        for name, item in value.items():
            found += paths_in(item, (*path, name))
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        found += paths_in(value[0], (*path, 0))
    return found


def changed(statement: Evidence, path: tuple[str | int, ...], value: Json = ...) -> Document:
    document: Document = json.loads(canonical.encode(statement))
    target: Json = document
    for step in path[:-1]:
        target = target[step]
    if value is ...:
        del target[path[-1]]
    else:
        target[path[-1]] = value
    return document


FREE = {("predicate", "stages", 0, "because")}


def test_every_missing_field_is_refused(key: SigningKey, statement: Evidence) -> None:
    document: Document = json.loads(canonical.encode(statement))
    paths = [
        path
        for path in paths_in(document)
        if path not in FREE and path[:2] != ("predicate", "initialise")
        # Of several attempts and decisions one less is still a list of them.
        if path[-1] != 0 or path[0] == "subject"
    ]
    assert len(paths) > 70
    for path in [*paths, ("predicate", "initialise")]:
        broken = changed(statement, path)
        refused(broken, key, "doesn't certify an erasure")


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        (("method",), "Purge", "'Clear'"),
        (("method",), "clear", "'Clear'"),
        (("technique",), "overwrite (Purge)", "Purge"),
        (("standard",), "IEEE 2883 PURGE", "Purge"),
        (("disposition",), "hold", "'sellable'"),
        (("confirmation", "operator"), ERASER, "another person"),
        (("verification", "bytes_bad"), 1, "aren't those written"),
        (("verification", "host_mismatches"), 1, "samples differ"),
        (("verification", "bytes_proven"), 1, "not every byte"),
        (("verification", "minimum_coverage"), 0.99, "less of the storage"),
        (("verification", "coverage"), 0.99, "more than the bytes"),
        (("verification", "coverage"), 93, "from 0 to 1"),
        (("verification", "host_samples"), 0, "above zero"),
        (("verification", "host_samples"), True, "above zero"),
        (("overwrite", "key_sha256"), "00", "SHA-256"),
        (("overwrite", "mode"), "guessed", "how it was written"),
        (("overwrite", "mode"), "streamed", "the host has streamed it"),
        (("medium", "capacity_bytes"), str(CAPACITY), "whole number"),
        (("issued_at",), "2026-11-24T09:00:00", "zone"),
        (("issued_at",), "yesterday", "zone"),
        (("site",), "  ", "text"),
        (("not_reached",), [], "list"),
        (("final_reset", "kinds"), [1], "list"),
        (("final_reset", "absent_s"), "long", "seconds"),
        (("stages",), [], "list"),
        (("stages", -1, "outcome"), "failed", "ended as failed"),
        (("stages", 4, "outcome"), "skipped", "overwrite hasn't passed"),
        (("decisions", -1, "approved"), False, "no decision confirms"),
        (("decisions", 0, "operator"), "鈴木 ", "second person"),
        (("decisions", 0, "person"), "suzuki", "one person's id"),
        (("decisions", 0, "person"), None, "text"),
        (("decisions", -1, "shown_by"), "badge", "a badge alone"),
        (("confirmation", "person"), "sato", "another person's id"),
        (("network_restriction", "result"), "×", "forbids a sale"),
        (("ledger", "first_sequence"), 10**9, "end before they begin"),
        (("handset", "model"), "SO-52C", "isn't the handset"),
        (("handset",), None, "object"),
        (("sensitivity",), "consumer", "a field inside of it is missing or unknown"),
        (("handset", "sensitivity"), "consumer", "a field inside of it is missing or unknown"),
        (("issued_at",), "2026-11-24T09:29:59+00:00", "before network was decided"),
        (("confirmation", "at"), "2026-11-24T13:00:01+00:00", "before it was confirmed"),
        (("technique",), "overwritten", "technique isn't what"),
        (("standard",), "NIST SP 800-88 Rev. 2, Clear", "standard isn't what"),
        (("medium", "type"), "flash memory", "medium.type isn't what"),
        (("not_reached",), ["nothing"], "not_reached isn't what"),
        (("trusted", "read_by"), "an attestation", "trusted.read_by isn't what"),
        (("trusted",), None, "object"),
        (("final_reset", "kinds"), ["seen"], "final_reset.kinds isn't what"),
        (("bound_by",), [], "list"),
        (("bound_by",), ["faith"], "bound_by isn't what"),
        (("in_use_before", "at_overwrite_bytes"), 0, "not_reached isn't what"),
        (("in_use_before", "free_after_overwrite_bytes"), 1, "not_reached isn't what"),
        (("in_use_before", "free_after_overwrite_bytes"), 7 << 30, "more than last gaps"),
        (("in_use_before", "free_after_overwrite_bytes"), -1, "free_after_overwrite_bytes"),
        (("nominal_capacity_bytes",), "64 GB", "nominal_capacity_bytes"),
        (("nominal_capacity_bytes",), None, "nominal_capacity_bytes"),
        (("felica", "clear"), "done", "felica.clear isn't what"),
        (("felica", "baseline_sha256"), "00", "SHA-256"),
    ],
)
def test_what_it_may_not_say(
    key: SigningKey, statement: Evidence, path: tuple[str | int, ...], value: Json, reason: str
) -> None:
    broken = changed(statement, ("predicate", *path), value)
    assert reason in "; ".join(gaps_of(broken))
    refused(broken, key, reason)


def test_what_is_signed_has_to_be_a_statement(key: SigningKey, statement: Evidence) -> None:
    for nothing in (None, [], "x", {}, {"predicate": {}}):
        assert "certify" in refusal(sign_anything(nothing, key), key.public_key_pem)
    two = changed(
        statement, ("subject",), [*json.loads(canonical.encode(statement))["subject"]] * 2
    )
    assert "more than one handset" in refusal(sign_anything(two, key), key.public_key_pem)
    other_type = changed(statement, ("predicateType",), "urn:other")
    assert refusal(sign_anything(other_type, key), key.public_key_pem)
    for place in ((), ("predicate",), ("predicate", "handset")):
        more = changed(statement, (*place, "sensitivity"), "consumer")
        refused(more, key, "doesn't certify an erasure")
    spaced = sealed(b'{"b":1, "a":2}', key)
    assert "isn't a statement of benchd" in refusal(spaced, key.public_key_pem)


LOT = {"lot": "L-7", "tag": "T-001", "bound_by": "tag", "identity_checked": True}


@pytest.mark.parametrize(
    ("kind", "consignor", "counts"),
    [
        ("collection", "Example Leasing", True),
        ("corporate_return", "Example Leasing", True),
        ("auction", "Example Leasing", True),
        ("lease_return", "Example Leasing", True),
        ("broker", "Example Leasing", True),
        ("repair_exchange", None, True),
        ("cancellation", None, True),
        ("dealer", None, True),
        ("dealer", "Tanaka", False),
        ("cancellation", "Tanaka", False),
        ("purchase", None, True),
        ("trade_in", None, True),
        ("purchase", "Tanaka", False),
        ("trade_in", "Tanaka", False),
        ("collection", None, False),
        (None, "Example Leasing", False),
    ],
)
def test_a_consignor_that_may_be_a_person_never_stands_on_it(
    kind: str | None, consignor: str | None, counts: bool, statement: Evidence, key: SigningKey
) -> None:
    """Issue 34, 11: it goes with the handset to its buyer."""
    changed: Document = copy.deepcopy(json.loads(json.dumps(statement)))
    lot: Document = LOT if kind else {}
    changed["predicate"]["intake"].update(lot, lot_kind=kind, consignor=consignor)
    if counts:
        assert gaps_of(changed) == ()
        return
    refused(changed, key, "intake names a consignor that may be a person")


def test_the_sites_address_stands_on_it_where_it_has_one(
    statement: Evidence, key: SigningKey
) -> None:
    """Issue 34, 11."""
    changed: Document = copy.deepcopy(json.loads(json.dumps(statement)))
    assert changed["predicate"]["site_address"] is None
    changed["predicate"]["site_address"] = "1-2-3 Example, Tokyo"
    assert gaps_of(changed) == ()
    changed["predicate"]["site_address"] = " "
    refused(changed, key, "site_address")
