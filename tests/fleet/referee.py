"""Holds the centre against the racks' ledgers, by docs/fleet.md and no line of benchd."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import psycopg

Node = tuple[int, bytes, bytes]
"""A record: its number, its hash, its body."""


def ledger_of(path: Path) -> list[Node]:
    """All records of a rack, each hash computed anew."""
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        bodies = connection.execute("SELECT sequence, body FROM record ORDER BY sequence")
        return chained(bytes(32), ((int(row[0]), bytes(row[1])) for row in bodies))


def chained(previous: bytes, bodies: Iterable[tuple[int, bytes]]) -> list[Node]:
    nodes: list[Node] = []
    for sequence, body in bodies:
        previous = sha256(previous + body).digest()
        nodes.append((sequence, previous, body))
    return nodes


class Referee:
    """Remembers what racks have written and what was acknowledged to them; at the end it judges."""

    def __init__(self, conninfo: str, rack: str) -> None:
        self._conninfo = conninfo
        self._rack = rack
        self.written: set[Node] = set()
        """Whatever any ledger of this rack has ever held."""
        self.acknowledged: set[tuple[int, bytes]] = set()

    def judge(self, living: Iterable[Path]) -> Counter[str]:
        """How many branches of each kind there are. Call it when all racks have nothing to send."""
        branches, held = self._centre()
        nodes = {node for records in held.values() for node in records}
        missing = {
            (number, hash_.hex())
            for number, hash_ in self.acknowledged
            if (number, hash_) not in {(node[0], node[1]) for node in nodes}
        }
        assert not missing, "acknowledged and lost"
        for path in living:
            ledger = ledger_of(path)
            self.written |= set(ledger)
            lacks = [node[0] for node in ledger if node not in nodes]
            assert not lacks, f"a rack has what the centre hasn't: {lacks} of {len(ledger)}"
            kinds_told = {json.loads(body)["kind"] for _, _, body in ledger}
            assert "centre_lacked" not in kinds_told, "a centre that had all was called put back"
        assert nodes <= self.written, "nobody has ever written that"
        assert sum(map(len, held.values())) == len(nodes), "a record is there twice"
        # Each branch is a chain that leaves another one at the record that it names.
        hashes = {(number, node[0]): node[1] for number, all_ in held.items() for node in all_}
        for number, (why, left, at) in branches.items():
            start = bytes(32) if left is None or at == 0 else hashes[left, at]
            bodies = ((node[0], node[2]) for node in held.get(number, []))
            assert chained(start, bodies) == held.get(number, []), "a branch isn't a chain"
            assert (why == "first") == (number == 0)
            kinds = [json.loads(node[2])["kind"] for node in held.get(number, [])[:1]]
            as_it_is = number == 0 or (why == "restored") == (kinds == ["ledger_restored"])
            assert as_it_is, "a branch is told as what it isn't"
        # Two records that follow the same one are two branches, and so told; there are no others.
        followers = Counter(self._before(held, branches))
        forks = sum(count - 1 for count in followers.values())
        assert forks == len(branches) - 1, "a fork that nobody was told of"
        return Counter(why for why, _, _ in branches.values())

    def none_has_stopped(self, living: Iterable[Path]) -> None:
        """Each has written something after the last fault, and had it acknowledged."""
        for path in living:
            number, hash_, _ = ledger_of(path)[-1]
            assert (number, hash_) in self.acknowledged, "a rack doesn't go on"

    @staticmethod
    def _before(
        held: dict[int, list[Node]], branches: dict[int, tuple[str, int | None, int]]
    ) -> Iterable[bytes]:
        """For each record that there is the hash of the one that it follows."""
        hashes = {(number, node[0]): node[1] for number, all_ in held.items() for node in all_}
        for number, records in held.items():
            _, left, at = branches[number]
            before = bytes(32) if left is None or at == 0 else hashes[left, at]
            for node in records:
                yield before
                before = node[1]

    def _centre(
        self,
    ) -> tuple[dict[int, tuple[str, int | None, int]], dict[int, list[Node]]]:
        with psycopg.connect(self._conninfo) as connection:
            told = connection.execute(
                "SELECT branch, why, left_branch, left_sequence FROM branch"
                " JOIN rack ON rack.id = branch.rack WHERE key_id = %s",
                (self._rack,),
            )
            branches = {row[0]: (str(row[1]), row[2], int(row[3])) for row in told}
            rows = connection.execute(
                "SELECT branch, sequence, hash, body FROM record JOIN rack ON rack.id = rack"
                " WHERE key_id = %s ORDER BY branch, sequence",
                (self._rack,),
            )
            held: dict[int, list[Node]] = {}
            for branch, sequence, hash_, body in rows:
                held.setdefault(branch, []).append((sequence, bytes(hash_), bytes(body)))
        return branches, held
