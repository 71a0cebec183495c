"""The centre's state kept elsewhere: what it once had and has no more is named, rack by rack."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import anyio
import psycopg
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as some

from benchd.certificate import create_key
from benchd.fleet.leaf_list import LeafList, decode_leaves, encode_leaves, lost_between
from benchd.ledger.fleet_checkpoint import Branch
from benchd.ledger.head import Head
from benchd.signing import canonical
from benchd.signing.private_key import SigningKey
from tests.fleet.centre_rig import NOW, centre
from tests.fleet.test_fleet_commands import benchd, fleet
from tests.fleet.written_ledger import WrittenLedger

KEY = SigningKey(Ed25519PrivateKey.from_private_bytes(bytes(32)))


def leaf(rack: str, number: int, branch: int = 0, history: int = 1) -> Branch:
    hash_ = bytes([history, number]) * 16 if number else bytes(32)
    return Branch(rack=rack * 64, branch=branch, tip=Head(sequence=number, hash=hash_))


def listed(*leaves: Branch, later_s: int = 0) -> LeafList:
    signed = encode_leaves(list(leaves), NOW + timedelta(seconds=later_s), KEY)
    return decode_leaves(signed, KEY.public)


def test_what_has_grown_or_come_is_no_loss() -> None:
    older = listed(leaf("a", 3), leaf("b", 0))
    newer = listed(leaf("a", 9), leaf("a", 7, branch=1), leaf("b", 0), leaf("c", 1))
    assert lost_between(older, newer) == []
    assert lost_between(older, older) == []


@pytest.mark.parametrize(
    "newer",
    [(leaf("b", 4),), (leaf("a", 2), leaf("b", 4)), (leaf("a", 3, history=2), leaf("b", 4))],
    ids=["a rack is gone", "a rack has less", "a record is another one"],
)
def test_what_is_gone_or_less_or_another_is_named(newer: tuple[Branch, ...]) -> None:
    older = listed(leaf("a", 3), leaf("b", 4))
    assert lost_between(older, listed(*newer)) == [leaf("a", 3)]


def test_a_list_whose_leaves_do_not_lead_to_its_root_is_none() -> None:
    claim = json.loads(encode_leaves([leaf("a", 3)], NOW, KEY))
    del claim["signature"]
    claim["leaves"][0]["sequence"] = 4
    signature = KEY.sign(b"benchd fleet leaves v1\n" + canonical.encode(claim))
    with pytest.raises(ValueError, match="don't lead to its root"):
        decode_leaves(canonical.encode({**claim, "signature": signature.hex()}), KEY.public)


@given(
    some.lists(some.tuples(some.sampled_from("abc"), some.integers(0, 250)), max_size=3),
    some.binary(min_size=1, max_size=1),
    some.integers(0),
)
def test_a_list_that_was_changed_anywhere_is_none(
    told: list[tuple[str, int]], byte: bytes, place: int
) -> None:
    whole = encode_leaves([leaf(rack, number) for rack, number in told], NOW, KEY)
    at = place % len(whole)
    changed = whole[:at] + byte + whole[at + 1 :]
    if changed != whole:
        with pytest.raises(ValueError, match=r"\w"):
            decode_leaves(changed, KEY.public)
    other = SigningKey(Ed25519PrivateKey.from_private_bytes(bytes(31) + b"x"))
    with pytest.raises(ValueError, match="isn't signed by the centre's key"):
        decode_leaves(whole, other.public)


def test_a_centre_that_was_put_back_is_named_until_the_racks_have_refilled_it(
    conninfo: str, tmp_path: Path
) -> None:
    one, two, idle = WrittenLedger(), WrittenLedger(), WrittenLedger()
    one.add(count=4)
    two.add(count=9)
    key = tmp_path / "centre.pem"
    create_key(key)

    async def send(*ends: int) -> None:
        async with centre(conninfo) as here:
            for ledger, name, end in zip((one, two), ("one", "two"), ends, strict=True):
                await here.join(ledger, name)
                await here.send(ledger, 0, end)
            if ends[1] > 5:
                await here.join(idle, "joined, and nothing came of it")

    def written(name: str) -> str:
        fleet("checkpoints", "write", str(tmp_path / name), "--key", str(key), *where)
        return str(tmp_path / name)

    def verified(*files: str) -> tuple[int, str]:
        public = f"{key}.pub"
        done = benchd("fleet", "checkpoints", "verify", *files, "--key", public, *where)
        return done.returncode, done.stdout + done.stderr

    where = ("--database", conninfo)
    anyio.run(send, 4, 9)
    full = written("full")
    assert verified(full) == (
        0,
        "All of 1 lists of the centre's state hold: it has everything that it had.\n",
    )
    with psycopg.connect(conninfo) as admin:
        admin.execute("SET session_replication_role = replica")
        admin.execute("TRUNCATE rack CASCADE")
    anyio.run(send, 4, 5)
    code, told = verified(full)
    assert code == 1
    assert f"rack {two.rack}: record 9, which it had, isn't there" in told
    assert one.rack not in told
    assert f"rack {idle.rack}: record 0, which it had, isn't there" in told
    less = written("less")
    anyio.run(send, 4, 9)
    assert verified(full)[0] == 0
    # What it lacked meanwhile is shown by the list of that time.
    code, told = verified(less, full)
    assert code == 1
    assert f"rack {two.rack}: it had come to record 9, and no more on" in told
    assert (
        benchd(
            "fleet", "checkpoints", "verify", f"{key}.pub", "--key", f"{key}.pub", *where
        ).returncode
        == 2
    )
