"""The DSSE envelope: a payload, its type and one Ed25519 signature over both.

Written out here and not taken from securesystemslib: its parser accepts base64 in several
spellings, unknown fields and any white space, so one certificate would have many files, and
it leaves the key id to its own key classes. The tests read our envelopes with it.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass

from benchd.signing import canonical

PAYLOAD_TYPE = "application/vnd.in-toto+json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """A signed payload. The key id is a hint which key to try, and never a key."""

    payload: bytes
    key_id: str
    signature: bytes


def signed_bytes(payload: bytes, payload_type: str = PAYLOAD_TYPE) -> bytes:
    """DSSE's pre-authentication encoding of a payload: what the signature is made over.

    The type is part of it: what was signed as one thing never counts as another.
    """
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def encode_envelope(envelope: Envelope, payload_type: str = PAYLOAD_TYPE) -> bytes:
    """The one file that an envelope has."""
    return canonical.encode(
        {
            "payload": base64.b64encode(envelope.payload).decode(),
            "payloadType": payload_type,
            "signatures": [
                {
                    "keyid": envelope.key_id,
                    "sig": base64.b64encode(envelope.signature).decode(),
                }
            ],
        },
        ascii_only=True,
    )


def decode_envelope(data: bytes, payload_type: str = PAYLOAD_TYPE) -> Envelope:
    """The envelope in a file; raises ValueError unless the file is the one that it would have."""
    match canonical.decode(data, ascii_only=True):
        case {"payloadType": str() as kind} if kind != payload_type:
            wanted = "an in-toto statement" if payload_type == PAYLOAD_TYPE else payload_type
            message = f"its payload is of type {kind[:80]!r} and not {wanted}"
            raise ValueError(message)
        case {"signatures": list() as signatures} if len(signatures) != 1:
            message = f"it has {len(signatures)} signatures and not one"
            raise ValueError(message)
        case {
            "payload": str() as payload,
            "payloadType": str(),
            "signatures": [{"keyid": str() as key_id, "sig": str() as signature}],
        }:
            envelope = Envelope(
                payload=base64.b64decode(payload),
                key_id=key_id,
                signature=base64.b64decode(signature),
            )
        case _:
            message = "it doesn't have the form of a certificate"
            raise ValueError(message)
    if encode_envelope(envelope, payload_type) != data:
        message = "it has changed: it isn't written as benchd writes it"
        raise ValueError(message)
    return envelope
