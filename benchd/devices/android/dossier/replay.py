"""What benchd makes of a dossier, by the very code that inspects a handset."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, cast

from benchd.devices.android.facts.answers import Answers, NotAsked
from benchd.devices.android.facts.fact_table import FACTS, Reading
from benchd.devices.android.shell.script import Answer
from benchd.domain.errors import AnswerNotRecognised
from benchd.domain.handset import StandingFacts, names_of
from benchd.domain.job import Reason
from benchd.proof.handset_refusals import NOTHING_FORBIDS, refusals

Shown = str | int | float | bool | tuple[str, ...] | tuple[int, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An answer that benchd doesn't understand."""

    command: str
    """The question's name."""
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """All that a dossier tells."""

    facts: Mapping[str, Shown]
    """Under the names of the fields that inspection and reset put on record.

    None where the handset doesn't say, where it wasn't asked, or where it was refused."""
    missing: tuple[str, ...]
    """The names of questions whose answers aren't there."""
    refused: tuple[Refusal, ...]
    findings: tuple[Reason, ...]
    """The gates that this handset would meet, as far as the facts tell."""


def replay(told: Mapping[str, Answer]) -> Replay:
    """Read every fact by itself: what one answer hides mustn't hide the others."""
    answers = Answers(told)
    reading = Reading(answers)
    facts = {name: _known(partial(fact.show, reading)) for name, fact in FACTS.items()}
    refused = tuple(Refusal(command=name, why=why) for name, why in answers.refused.items())
    return Replay(
        facts=cast("dict[str, Shown]", facts),
        missing=answers.missing,
        refused=refused,
        findings=tuple(dict.fromkeys((*_findings(facts), *answers.reasons))),
    )


def _findings(facts: Mapping[str, object]) -> Iterator[Reason]:
    """What the gates would refuse by; what the handset doesn't tell refuses nothing."""
    kept = names_of(StandingFacts)
    known = {name: fact for name, fact in facts.items() if name in kept and fact is not None}
    standing = replace(NOTHING_FORBIDS, **cast("dict[str, Any]", known))
    yield from (reason for reason, _ in refusals(standing))


def _known(read: Callable[[], object]) -> object:
    try:
        return read()
    except (NotAsked, AnswerNotRecognised):
        return None
