"""Checks a benchd certificate with nothing of benchd: Python's own library and `cryptography`.

    python3 verify_certificate.py CERTIFICATE.json RACK_KEY.pub [RING.json]

Ends with 0 and tells what was signed, or with 1 and says why not. From a PDF, take the attached
file certificate.json first (`pdfdetach -save 1 FILE.pdf`). The key is the one that you were given
by the site, never one that came with the certificate; the newest, with its ring, if it had others.
"""

import base64
import hashlib
import json
import re
import sys
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

KIND = "application/vnd.in-toto+json"
FORM = "urn:benchd:certificate-of-erasure:v4"
MALFORMED = (ValueError, LookupError, TypeError, RecursionError)
CANONICAL = json.JSONEncoder(sort_keys=True, separators=(",", ":"))


def counting(newest: bytes, ring: bytes | None) -> dict:
    """Each key by its id and what it counts for; the newest, for all (None), vouches for them."""
    told = json.loads(ring) if ring else {"first_key": newest.hex(), "rotations": []}
    key, previous, counts = bytes.fromhex(told["first_key"]), None, {}
    for each in told["rotations"]:
        said, named = each["statement"], each["certificates"]
        signed = CANONICAL.encode(said).encode()
        digests = b"".join(bytes.fromhex(re.fullmatch("[0-9a-f]{64}", one)[0]) for one in named)
        follows = (key.hex(), previous, hashlib.sha256(digests).hexdigest())
        if (said["old_key"], said["previous"], said["certificates_sha256"]) != follows:
            raise ValueError("a rotation doesn't follow the one before it, or its list has changed")
        counts[hashlib.sha256(key).hexdigest()] = (key, named)
        key, previous = bytes.fromhex(said["new_key"]), hashlib.sha256(signed).hexdigest()
        sig, message = bytes.fromhex(each["new_signature"]), b"benchd key rotation v1\n" + signed
        Ed25519PublicKey.from_public_bytes(key).verify(sig, message)
    if key != newest:
        raise ValueError("it leads to another key than the one that was given")
    return {**counts, hashlib.sha256(key).hexdigest(): (key, None)}


def verified(data: bytes, public_key_pem: bytes, ring: bytes | None = None) -> dict:
    """The signed statement; raises ValueError or TypeError with what is wrong."""
    newest = load_pem_public_key(public_key_pem)
    if not isinstance(newest, Ed25519PublicKey):
        raise TypeError("the public key is not an Ed25519 key")
    try:
        keys = counting(newest.public_bytes_raw(), ring)
    except (InvalidSignature, *MALFORMED) as error:
        raise ValueError(f"the ring is of no use, get the newest with its key: {error}") from error
    try:
        envelope = json.loads(data)
        [signed] = envelope["signatures"]
        payload, sig = map(base64.b64decode, (envelope["payload"], signed["sig"]))
        key_id = str(signed["keyid"])
    except MALFORMED as error:
        raise ValueError("it doesn't have the form of a certificate") from error
    text, end = (base64.b64encode(each).decode() for each in (payload, sig))
    whole = {"payload": text, "payloadType": KIND, "signatures": [{"keyid": key_id, "sig": end}]}
    if CANONICAL.encode(whole).encode() != data:
        raise ValueError("it isn't written as benchd writes it: it has changed")
    if key_id not in keys:
        raise ValueError("it names another key than the one that was given")
    key, named = keys[key_id]
    message = b"DSSEv1 %d %b %d %b" % (len(KIND), KIND.encode(), len(payload), payload)  # its PAE
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(sig, message)
    except InvalidSignature as error:
        raise ValueError("the signature doesn't fit: it has changed since it was signed") from error
    if named is not None and hashlib.sha256(data).hexdigest() not in named:
        raise ValueError("its key is retired and it isn't named: a thief can have signed it since")
    statement = json.loads(payload)
    if statement["predicateType"] != FORM:
        raise ValueError(f"{statement['predicateType']} isn't the form that this knows, {FORM}")
    return statement


def told(value: object, place: str = "signed") -> str:
    """All that was signed, a fact a line; by repr, since a handset's words may hold anything."""
    if isinstance(value, dict):
        return "\n".join(told(one, f"{place}.{name}") for name, one in value.items())
    return f"{place}: {value!r}"


if __name__ == "__main__":
    if len(sys.argv) not in (3, 4):
        sys.exit(f"usage: {sys.argv[0]} CERTIFICATE.json RACK_KEY.pub [RING.json]")
    try:
        statement = verified(*(Path(name).read_bytes() for name in sys.argv[1:]))
    except (ValueError, TypeError, OSError) as error:
        sys.exit(f"NOT VALID: {error}")
    # What follows says nothing of the certificate, be it that this screen can't show it.
    sys.stdout.reconfigure(errors="backslashreplace")
    print(told(statement))
