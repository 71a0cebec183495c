"""Checks a benchd certificate with nothing of benchd: Python's own library and `cryptography`.

    python3 verify_certificate.py CERTIFICATE.json RACK_KEY.pub

Ends with 0 and tells what was signed, or with 1 and says why not. From a PDF, take the attached
file certificate.json first (`pdfdetach -save 1 FILE.pdf`). The key is the one that you were given
by the site, never one that came with the certificate.
"""

import base64
import hashlib
import json
import sys
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

PAYLOAD_TYPE = "application/vnd.in-toto+json"
FORMS = tuple(f"urn:benchd:certificate-of-erasure:v{number}" for number in (1, 2, 3, 4))


def envelope_bytes(payload: bytes, key_id: str, signature: bytes) -> bytes:
    """The one spelling of a certificate's file."""
    signed = {"keyid": key_id, "sig": base64.b64encode(signature).decode()}
    envelope = {
        "payload": base64.b64encode(payload).decode(),
        "payloadType": PAYLOAD_TYPE,
        "signatures": [signed],
    }
    return json.dumps(envelope, sort_keys=True, separators=(",", ":")).encode()


def verified(data: bytes, public_key_pem: bytes) -> dict:
    """The signed statement; raises ValueError or TypeError with what is wrong."""
    key = load_pem_public_key(public_key_pem)
    if not isinstance(key, Ed25519PublicKey):
        raise TypeError("the public key is not an Ed25519 key")
    try:
        envelope = json.loads(data)
        payload = base64.b64decode(envelope["payload"])
        key_id = envelope["signatures"][0]["keyid"]
        signature = base64.b64decode(envelope["signatures"][0]["sig"])
        same = envelope_bytes(payload, key_id, signature) == data
    except (ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
        raise ValueError("it doesn't have the form of a certificate") from error
    if not same:
        raise ValueError("it isn't written as benchd writes it: it has changed")
    if key_id != hashlib.sha256(key.public_bytes_raw()).hexdigest():
        raise ValueError("it names another key than the one that was given")
    # DSSE's pre-authentication encoding: what the signature is made over.
    kind = PAYLOAD_TYPE.encode()
    message = b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)
    try:
        key.verify(signature, message)
    except InvalidSignature as error:
        raise ValueError("the signature doesn't fit: it has changed since it was signed") from error
    statement = json.loads(payload)
    if statement["predicateType"] not in FORMS:
        raise ValueError("it was signed, but it's no certificate of erasure that this knows")
    return statement


def told(statement: dict) -> str:
    """The core of it; everything that was signed is in the statement itself."""
    said = statement["predicate"]
    handset, checked = said["handset"], said["verification"]
    lines = {
        "certificate": said["job"],
        "issued": said["issued_at"],
        "site": said["site"],
        "handset": f"{handset['manufacturer']} {handset['model']}",
        "IMEI": handset["imei"],
        "serial": handset["serial"],
        "method": f"{said['method']}: {said['technique']}",
        "coverage": f"{checked['coverage']:.1%} of {said['medium']['capacity_bytes']} bytes",
        "FeliCa": f"{said['felica']['recheck']}: {said['felica']['basis']}",
        "confirmed by": said["confirmation"]["operator"],
    }
    # repr, since a handset's own words may hold anything.
    facts = [f"{name}: {value!r}" for name, value in lines.items()]
    return "\n".join([*facts, "not reached:", *(f"  {each!r}" for each in said["not_reached"])])


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(f"usage: {sys.argv[0]} CERTIFICATE.json RACK_KEY.pub")
    try:
        statement = verified(Path(sys.argv[1]).read_bytes(), Path(sys.argv[2]).read_bytes())
    except (ValueError, TypeError, OSError) as error:
        sys.exit(f"NOT VALID: {error}")
    # From here on nothing that goes wrong says a thing of the certificate; and names may hold what
    # this screen can't show.
    sys.stdout.reconfigure(errors="backslashreplace")
    print(told(statement))
