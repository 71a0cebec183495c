"""Each rule that the referees hold the fleet to, broken on purpose: they have to see it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tests.fleet.centre_rig import centre
from tests.fleet.faults.handset_referee import HandsetReferee, Line
from tests.fleet.faults.noted import Noted
from tests.fleet.handset_stories import ONE, RackStory
from tests.fleet.referee import Referee
from tests.fleet.written_ledger import WrittenLedger, text_of

LATER = "2026-12-02T03:00:00+00:00"


def stored(ledger: WrittenLedger, path: Path) -> Path:
    with closing(sqlite3.connect(path)) as file, file:
        file.execute("CREATE TABLE record (sequence INTEGER PRIMARY KEY, body BLOB)")
        rows = [(number, body) for number, _, body in ledger.records]
        file.executemany("INSERT INTO record VALUES (?, ?)", rows)
    return path


@dataclass
class Judged:
    """A rack, its restored ledger and a clone of it, as a centre has them all."""

    referee: Referee
    ledgers: list[Path]

    def judge(self) -> None:
        self.referee.judge(self.ledgers)
        self.referee.none_has_stopped(self.ledgers)


async def forked(conninfo: str, folder: Path) -> Judged:
    """Nine records, a clone's two after six, and a restore after three."""
    rack = WrittenLedger()
    referee = Referee(conninfo, rack.rack)
    async with centre(conninfo) as here:
        await here.join(rack)
        rack.add(count=6)
        clone, restored = rack.copy(), rack.copy()
        rack.add("rack", 3)
        clone.add("clone", 2)
        restored.restore(3, 12)
        ledgers = [rack, clone, restored]
        for ledger, after in zip(ledgers, (0, 6, 3), strict=True):
            tip = (await here.send(ledger, after)).of.tip
            referee.acknowledged.add((tip.sequence, tip.hash))
    files = [stored(each, folder / f"{number}.sqlite") for number, each in enumerate(ledgers)]
    return Judged(referee, files)


@pytest.mark.asyncio
async def test_nothing_is_said_of_a_centre_that_has_everything(
    conninfo: str, tmp_path: Path
) -> None:
    judged = await forked(conninfo, tmp_path)
    judged.judge()
    assert judged.referee.judge(judged.ledgers) == {"first": 1, "fork": 1, "restored": 1}


NOBODYS = """
    INSERT INTO record (rack, branch, sequence, hash, kind, body)
    SELECT rack, branch, 10, sha256(hash), kind, body FROM record
    WHERE branch = 0 AND sequence = 9
"""
CHANGED = """
    UPDATE record SET body = replace(convert_from(body, 'UTF8'), 'rack', 'RACK')::bytea
    WHERE branch = 0 AND sequence = 8
"""
NO_BRANCH = """
    INSERT INTO branch (rack, branch, why, left_branch, left_sequence, tip_sequence, tip_hash)
    SELECT rack, 3, why, left_branch, left_sequence, tip_sequence, tip_hash FROM branch
    WHERE branch = 1
"""
SPOILT = {
    "it drops what it has acknowledged": (
        "DELETE FROM record WHERE branch = 0 AND sequence = 9",
        "acknowledged and lost",
    ),
    "it has lost a record that was acknowledged with a later one": (
        "DELETE FROM record WHERE branch = 0 AND sequence = 8",
        "a rack has what the centre hasn't",
    ),
    "it keeps one side of a fork": (
        "DELETE FROM record WHERE branch = 1; DELETE FROM branch WHERE branch = 1",
        "acknowledged and lost",
    ),
    "it has what nobody wrote": (
        NOBODYS,
        "nobody has ever written that",
    ),
    "it has changed a record": (
        CHANGED,
        "a rack has what the centre hasn't",
    ),
    "a fork is called a restore": (
        "UPDATE branch SET why = 'restored' WHERE branch = 1",
        "told as what it isn't",
    ),
    "a fork leaves the line elsewhere": (
        "UPDATE branch SET left_sequence = 5 WHERE branch = 1",
        "a branch isn't a chain",
    ),
    "a branch is told that isn't one": (
        NO_BRANCH,
        "a fork that nobody was told of",
    ),
}


@pytest.mark.asyncio
@pytest.mark.parametrize("spoilt", SPOILT)
async def test_a_centre_that_has_something_else_is_found_out(
    spoilt: str, conninfo: str, tmp_path: Path
) -> None:
    judged = await forked(conninfo, tmp_path)
    statement, says = SPOILT[spoilt]
    with psycopg.connect(conninfo, autocommit=True) as admin:
        # Else a record can't be changed, nor a branch.
        admin.execute("SET session_replication_role = replica")
        for each in statement.split("; "):
            assert admin.execute(each).rowcount > 0  # type: ignore[arg-type]
    with pytest.raises(AssertionError, match=says):
        judged.judge()


@pytest.mark.asyncio
async def test_a_fork_that_is_told_to_nobody_is_found_out(conninfo: str, tmp_path: Path) -> None:
    judged = await forked(conninfo, tmp_path)
    with psycopg.connect(conninfo, autocommit=True) as admin:
        admin.execute("SET session_replication_role = replica")
        admin.execute("ALTER TABLE record DROP CONSTRAINT record_pkey CASCADE")
        admin.execute("DELETE FROM branch WHERE branch = 1")
        admin.execute("UPDATE record SET branch = 0 WHERE branch = 1")
    with pytest.raises(AssertionError, match="a branch isn't a chain"):
        judged.judge()


@pytest.mark.asyncio
async def test_a_rack_that_stopped_is_found_out(conninfo: str, tmp_path: Path) -> None:
    judged = await forked(conninfo, tmp_path)
    judged.referee.acknowledged = {each for each in judged.referee.acknowledged if each[0] != 9}
    judged.referee.judge(judged.ledgers)
    with pytest.raises(AssertionError, match="doesn't go on"):
        judged.judge()


@dataclass
class Centre:
    """It says whatever a test likes, and signs it."""

    key: Ed25519PrivateKey = field(default_factory=Ed25519PrivateKey.generate)
    nonce: int = 0
    leases: dict[tuple[str, str], int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.noted = Noted(self.key.public_key())

    def signed(self, told: Mapping[str, object], words: str) -> dict[str, object]:
        signature = self.key.sign(f"benchd fleet {words} v1\n".encode() + text_of(told)).hex()
        return {**told, "signature": signature}

    def acknowledges(self, rack: RackStory) -> None:
        path = f"/v1/racks/{rack.ledger.rack}/records"
        sequence, hash_ = rack.ledger.places[-1]
        batch = rack.ledger.batch(rack.sent)
        rack.sent = len(rack.ledger.records)
        tip = {"rack": rack.ledger.rack, "sequence": sequence, "hash": hash_.hex()}
        answer = {"checkpoint": self.signed(tip, "checkpoint")}
        self.noted.comes(self.noted.goes(path, batch), path, batch, text_of(answer))

    def answers(
        self,
        rack: RackStory,
        job: str,
        *found: str,
        lease: int | None = None,
        on_record: bool = True,
        names_lease: bool = True,
        at: str = "2026-12-01T02:00:00+00:00",
        unheard_at: str | None = None,
        altered: bool = False,
        asked: int | None = None,
    ) -> None:
        """Asked by a rack's job, and put on its record.

        `unheard_at` is when the very same question had an answer that the rack didn't hear. An
        altered reply is on record without what was found. `asked` is when its question went, if
        others were answered since.
        """
        self.nonce += 1
        names = self.leases.get((rack.ledger.rack, job)) if names_lease else None
        question = rack.question(ONE, job=job, nonce=f"{self.nonce:064x}", lease=names)
        if lease is not None:
            self.leases[rack.ledger.rack, job] = lease
        until = "2026-12-01T14:00:00+00:00"
        path = f"/v1/racks/{rack.ledger.rack}/questions"
        told: dict[str, Any] = {
            "findings": [{"kind": each} for each in found],
            "lease": None if lease is None else {"number": lease, "until": until},
            "question": sha256(question).hexdigest(),
            "type": "urn:benchd:fleet-answer:v1",
        }
        reply = b""
        for when in filter(None, (unheard_at, at)):
            reply = text_of(self.signed({**told, "at": when}, "answer"))
            went = self.noted.goes(path, question) if asked is None else asked
            self.noted.comes(went, path, question, reply)
        findings = told["findings"] if on_record else []
        if altered:
            reply = text_of({**json.loads(reply), "findings": []})
        said = {"asked": True, "findings": findings, "reply": reply.decode()}
        rack.put("other_racks_asked", said, job)


def certified(rack: RackStory, job: str) -> None:
    rack.ends(job, "sellable", None, "passed")


def judge(said: Centre, *racks: RackStory) -> None:
    lines = [Line(rack.ledger.rack, rack.ledger.records) for rack in racks]
    HandsetReferee(said.noted, lines).judge()


Play = Callable[[Centre, RackStory, RackStory], None]


def two_after_one_another(said: Centre, first: RackStory, second: RackStory) -> None:
    job = first.opens(ONE)
    said.answers(first, job, lease=5)
    said.answers(first, job, lease=5)
    certified(first, job)
    said.acknowledges(first)
    later = second.opens(ONE)
    said.answers(second, later, lease=6)
    certified(second, later)


def two_after_a_lapse(said: Centre, first: RackStory, second: RackStory) -> None:
    said.answers(first, first.opens(ONE), lease=5)
    later = second.opens(ONE)
    said.answers(second, later, lease=6, at=LATER)
    certified(second, later)


def two_at_once_of_which_one_had_ended(said: Centre, first: RackStory, second: RackStory) -> None:
    """The second's question waits at the centre until the first's end is there."""
    job, other = first.opens(ONE), second.opens(ONE)
    asked = said.noted.count
    said.answers(first, job, lease=5, asked=asked)
    certified(first, job)
    said.acknowledges(first)
    said.answers(second, other, lease=6, asked=asked)


def taken_over_on_its_own_rack(said: Centre, first: RackStory, second: RackStory) -> None:
    said.answers(first, first.opens(ONE), lease=5)
    again = first.opens(ONE)
    said.answers(first, again, lease=6)
    certified(first, again)
    said.acknowledges(first)
    said.answers(second, second.opens(ONE), lease=7)


def superseded_by_its_clone(said: Centre, first: RackStory, second: RackStory) -> None:
    second.ledger.key = first.ledger.key
    job, other = first.opens(ONE), second.opens(ONE)
    said.answers(first, job, lease=5)
    said.answers(second, other, lease=6)
    said.answers(first, job, "running")
    first.ends(job, "hold", "running_elsewhere")
    said.answers(second, other, lease=6)
    certified(second, other)


def asked_once_and_answered_twice(said: Centre, first: RackStory, second: RackStory) -> None:
    del second
    job = first.opens(ONE)
    said.answers(first, job, lease=5, unheard_at="2026-12-01T01:59:59+00:00")
    said.answers(first, job, lease=5)
    certified(first, job)


def held_where_another_has_doomed_it(said: Centre, first: RackStory, second: RackStory) -> None:
    first.crushes(ONE)
    said.acknowledges(first)
    job = second.opens(ONE)
    said.answers(second, job, "doomed")
    second.ends(job, "hold", "doomed_elsewhere")


def doomed_where_nobody_has_heard_of_it(said: Centre, first: RackStory, second: RackStory) -> None:
    first.crushes(ONE)
    job = second.opens(ONE)
    said.answers(second, job, lease=5)
    certified(second, job)
    said.acknowledges(first)


@pytest.mark.parametrize(
    "play",
    [
        two_after_one_another,
        two_after_a_lapse,
        two_at_once_of_which_one_had_ended,
        taken_over_on_its_own_rack,
        superseded_by_its_clone,
        asked_once_and_answered_twice,
        held_where_another_has_doomed_it,
        doomed_where_nobody_has_heard_of_it,
    ],
)
def test_nothing_is_said_of_answers_as_docs_have_them(play: Play) -> None:
    said, first, second = Centre(), RackStory("rack 1"), RackStory("rack 2")
    play(said, first, second)
    judge(said, first, second)


def two_leases_at_once(said: Centre, first: RackStory, second: RackStory) -> None:
    job, other = first.opens(ONE), second.opens(ONE)
    said.answers(first, job, lease=5)
    said.answers(second, other, lease=6)
    certified(first, job)
    certified(second, other)


def two_that_asked_at_once(said: Centre, first: RackStory, second: RackStory) -> None:
    job, other = first.opens(ONE), second.opens(ONE)
    asked = said.noted.count
    said.answers(first, job, lease=5, asked=asked)
    said.answers(second, other, lease=6, asked=asked)


def one_lease_twice(said: Centre, first: RackStory, second: RackStory) -> None:
    two = first.opens(ONE), second.opens(ONE)
    said.answers(first, two[0], lease=5)
    said.answers(second, two[1], lease=5, at=LATER)


def a_smaller_one_later(said: Centre, first: RackStory, second: RackStory) -> None:
    two = first.opens(ONE), second.opens(ONE)
    said.answers(first, two[0], lease=5)
    said.answers(second, two[1], lease=4, at=LATER)


def the_former_holder_goes_on(said: Centre, first: RackStory, second: RackStory) -> None:
    job, other = first.opens(ONE), second.opens(ONE)
    said.answers(first, job, lease=5)
    said.answers(second, other, lease=6, at=LATER)
    said.answers(first, job, lease=5, at=LATER)


def superseded_and_goes_on(said: Centre, first: RackStory, second: RackStory) -> None:
    second.ledger.key = first.ledger.key
    job = first.opens(ONE)
    said.answers(first, job, lease=5)
    said.answers(second, second.opens(ONE), lease=6)
    said.answers(first, job, lease=7)


def keeps_silent_of_its_lease(said: Centre, first: RackStory, second: RackStory) -> None:
    del second
    job = first.opens(ONE)
    said.answers(first, job, lease=5)
    said.answers(first, job, lease=5, names_lease=False)


def doomed_in_vain(said: Centre, first: RackStory, second: RackStory) -> None:
    first.crushes(ONE)
    said.acknowledges(first)
    said.answers(second, second.opens(ONE), lease=5)


def doomed_and_certified(said: Centre, first: RackStory, second: RackStory) -> None:
    first.crushes(ONE)
    said.acknowledges(first)
    job = second.opens(ONE)
    said.answers(second, job, "doomed", on_record=False)
    certified(second, job)


def held_and_certified(said: Centre, first: RackStory, second: RackStory) -> None:
    del first
    job = second.opens(ONE)
    said.answers(second, job, "held")
    certified(second, job)


def altered_and_certified(said: Centre, first: RackStory, second: RackStory) -> None:
    first.crushes(ONE)
    said.acknowledges(first)
    job = second.opens(ONE)
    said.answers(second, job, "doomed", on_record=False, altered=True)
    certified(second, job)


def anothers_reply_on_record(said: Centre, first: RackStory, second: RackStory) -> None:
    first.crushes(ONE)
    said.acknowledges(first)
    said.answers(second, second.opens(ONE), "doomed")
    reply = json.loads(second.ledger.records[-1][2])["data"]
    second.put("other_racks_asked", reply, second.opens(ONE))


@pytest.mark.parametrize(
    ("play", "says"),
    [
        (two_leases_at_once, "in hand"),
        (two_that_asked_at_once, "in hand"),
        (one_lease_twice, "of two jobs"),
        (a_smaller_one_later, "a later lease is smaller"),
        (the_former_holder_goes_on, "a later lease is smaller"),
        (superseded_and_goes_on, "is superseded"),
        (keeps_silent_of_its_lease, "names another lease"),
        (doomed_in_vain, "asked for in vain"),
        (doomed_and_certified, "and certified"),
        (held_and_certified, "certified although held"),
        (altered_and_certified, "never said so"),
        (anothers_reply_on_record, "never said so"),
    ],
)
def test_answers_and_certificates_that_may_not_be_are_found_out(play: Play, says: str) -> None:
    said, first, second = Centre(), RackStory("rack 1"), RackStory("rack 2")
    play(said, first, second)
    with pytest.raises(AssertionError, match=says):
        judge(said, first, second)


def test_a_doom_that_a_restore_has_lost_holds_on_its_own_rack_too() -> None:
    said, lost, restored = Centre(), RackStory("rack 1"), RackStory("rack 1")
    restored.ledger.key = lost.ledger.key
    lost.crushes(ONE)
    said.acknowledges(lost)
    said.answers(lost, lost.opens(ONE), lease=5)
    judge(said, lost)
    restored.skip(10)
    said.answers(restored, restored.opens(ONE), lease=6)
    with pytest.raises(AssertionError, match="asked for in vain"):
        judge(said, lost, restored)


def test_what_the_centre_has_not_signed_is_no_word_of_it() -> None:
    said, rack = Centre(), RackStory("rack 1")
    said.noted.centre = Ed25519PrivateKey.generate().public_key()
    rack.ledger.add()
    with pytest.raises(InvalidSignature):
        said.acknowledges(rack)
    with pytest.raises(InvalidSignature):
        said.answers(rack, rack.opens(ONE))
    assert not said.noted.acknowledged
    assert not said.noted.answers
    assert json.loads(rack.ledger.records[-1][2])["kind"] == "stage_ended"
