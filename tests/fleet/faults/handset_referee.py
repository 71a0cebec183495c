"""Holds certificates against dooms and leases, by the ledgers and what was seen on the lines.

By docs/fleet.md and no line of benchd.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from tests.fleet.faults.noted import Answered, Noted
from tests.fleet.referee import Node

Place = tuple[str, bytes]
"""A rack, and a record of it by its hash, which stands for all before it."""


@dataclass
class Job:
    """What one ledger tells of a job."""

    imei: str | None = None
    doomed: Place | None = None
    ended: Place | None = None
    certified: bool = False
    held: bool = False
    """An answer on record has said so."""
    heard: list[dict[str, Any]] = field(default_factory=list)
    """The answers on record: one that was lost on its way, or came a second time, isn't there."""


@dataclass(frozen=True)
class Line:
    """One ledger of a rack: a clone's is another one."""

    rack: str
    records: Sequence[Node]

    @cached_property
    def place_of(self) -> dict[bytes, int]:
        return {hash_: place for place, (_, hash_, _) in enumerate(self.records)}

    @cached_property
    def jobs(self) -> dict[str, Job]:
        jobs: dict[str, Job] = {}
        for _, hash_, body in self.records:
            told = json.loads(body)
            if told["job"] is None:
                continue
            job, data = jobs.setdefault(told["job"], Job()), told["data"]
            match told["kind"]:
                case "stage_ended" if data["evidence"].get("imei"):
                    job.imei = data["evidence"]["imei"]
                case "other_racks_asked" if data["asked"]:
                    job.held |= bool(data["findings"])
                    signed = json.loads(data["reply"]).items()
                    job.heard.append({key: each for key, each in signed if key != "signature"})
                case "job_ended":
                    job.ended = (self.rack, hash_)
                    job.certified = data["disposition"] == "sellable"
                    if data["disposition"] == "destroy":
                        job.doomed = (self.rack, hash_)
                case _:
                    pass
        return jobs


@dataclass
class HandsetReferee:
    """Judges every answer that came from the centre, and every certificate of a ledger."""

    noted: Noted
    ledgers: list[Line] = field(default_factory=list)

    def judge(self) -> None:
        for line in self.ledgers:
            for name, job in line.jobs.items():
                assert not (job.certified and job.held), f"certified although held: {name}"
                given = [each.told for each in self.noted.answers if each.job == (line.rack, name)]
                for reply in job.heard:
                    assert reply in given, f"on record of {name}, and the centre never said so"
        for answer in self.noted.answers:
            self._dooms_were_told(answer)
        self._leases_exclude_one_another()
        self._who_was_superseded_is_held()

    def _dooms_were_told(self, answer: Answered) -> None:
        """What was acknowledged before it was asked, and isn't in the ledger of whoever asks."""
        own = self._asker(answer)
        for line in self.ledgers:
            for name, job in line.jobs.items():
                if job.doomed is None or job.imei not in answer.question["imeis"]:
                    continue
                if own is not None and job.doomed[1] in own.place_of and own.rack == line.rack:
                    continue
                since = self._first(self.noted.acknowledged, line, job.doomed)
                if since is None or since >= answer.asked:
                    continue
                findings = [finding["kind"] for finding in answer.told["findings"]]
                assert "doomed" in findings, f"doomed as job {name}, and asked for in vain"
                told = None if own is None else own.jobs.get(answer.job[1])
                if told is not None and answer.told in told.heard:
                    assert not told.certified, f"doomed as job {name}, and certified"

    def _leases_exclude_one_another(self) -> None:
        """By their numbers: two answers may be on their way at the same moment."""
        granted = [answer for answer in self.noted.answers if answer.lease is not None]
        holders = {answer.lease: answer.job for answer in granted}
        for answer in granted:
            assert holders[answer.lease] == answer.job, f"lease {answer.lease} of two jobs"
        for first in granted:
            for second in granted:
                if set(first.question["imeis"]).isdisjoint(second.question["imeis"]):
                    continue
                if first.job == second.job:
                    continue
                later = (first.lease or 0) < (second.lease or 0)
                assert later or first.at >= second.asked, "a later lease is smaller"
                if not later or first.job[0] == second.job[0]:
                    # A handset that is plugged in anew on the same rack takes it over.
                    continue
                if any(taken_over(first, each, second) for each in granted):
                    continue
                over = self._end_was_sent(first)
                assert (over is not None and over < second.at) or lapsed(first, second), (
                    f"{first.job} and {second.job} have {first.question['imeis']} in hand"
                )

    def _who_was_superseded_is_held(self) -> None:
        """Of two jobs the later has the handset, also where a rack's clone has it."""
        granted = [answer for answer in self.noted.answers if answer.lease is not None]
        for line in self.ledgers:
            for name, job in line.jobs.items():
                mine = [
                    answer
                    for answer in self.noted.answers
                    if answer.job == (line.rack, name) and answer.told in job.heard
                ]
                held: int | None = None
                for answer in sorted(mine, key=lambda each: each.asked):
                    assert answer.question.get("lease") == held, f"{name} names another lease"
                    superseded = held is not None and any(
                        (each.lease or 0) > held and each.at < answer.asked
                        for each in granted
                        if each.job != answer.job
                        and not set(each.question["imeis"]).isdisjoint(answer.question["imeis"])
                    )
                    assert not (superseded and not answer.told["findings"]), f"{name} is superseded"
                    held = answer.lease if answer.lease is not None else held

    def _end_was_sent(self, answer: Answered) -> int | None:
        """When the end of its job was first on its way to the centre."""
        ends = [
            self._first(self.noted.sent, line, line.jobs[answer.job[1]].ended)
            for line in self._lines_of(answer)
        ]
        return min((end for end in ends if end is not None), default=None)

    def _asker(self, answer: Answered) -> Line | None:
        return next(iter(self._lines_of(answer)), None)

    def _lines_of(self, answer: Answered) -> Iterator[Line]:
        rack, job = answer.job
        return (line for line in self.ledgers if line.rack == rack and job in line.jobs)

    @staticmethod
    def _first(
        events: Sequence[tuple[int, tuple[str, int, bytes]]], line: Line, place: Place | None
    ) -> int | None:
        """The first of these that has the record among all that came before it."""
        if place is None:
            return None
        for when, (rack, _, hash_) in events:
            if rack == line.rack and line.place_of.get(hash_, -1) >= line.place_of[place[1]]:
                return when
        return None


def lapsed(first: Answered, second: Answered) -> bool:
    """By the centre's own clock."""
    until = datetime.fromisoformat(first.told["lease"]["until"])
    return datetime.fromisoformat(second.told["at"]) >= until


def taken_over(first: Answered, by: Answered, before: Answered) -> bool:
    """By another job of the same rack, which is held against what came then."""
    return (
        by.job != first.job
        and by.job[0] == first.job[0]
        and not set(by.question["imeis"]).isdisjoint(first.question["imeis"])
        and (first.lease or 0) < (by.lease or 0) < (before.lease or 0)
    )
