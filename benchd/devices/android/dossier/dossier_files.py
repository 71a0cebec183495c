"""From a handset's answers to the files of its dossier: masked, and described by `dossier.toml`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from benchd.devices.android.dossier.masking import Masked, Masker
from benchd.devices.android.dossier.replay import Replay, replay
from benchd.devices.android.facts.fact_table import QUESTIONS
from benchd.devices.android.shell.script import Answer
from benchd.devices.android.shell.text import printable
from benchd.domain.dossier import Dossier
from benchd.domain.version_info import version

LONGEST_ANSWER: Final = 384 * 1024
"""Characters of what is kept of one answer: a handset that says more is said to."""
DESCRIPTION: Final = "dossier.toml"
FORM: Final = 1
_TOLD_OF: Final = ("manufacturer", "model", "android", "security_patch", "build")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """What a handset has answered, and why the other questions have no answer."""

    told: Mapping[str, Answer]
    unanswered: Mapping[str, str] = field(default_factory=dict[str, str])


def prepare(recording: Recording, *, taken_at: datetime, why: str = "") -> Dossier:
    """Take everything personal out; takes seconds where a handset says a lot."""
    told, unanswered = _bounded(recording)
    masker = Masker(told)
    masked = masker.masked(told)
    after = replay(masked.told)
    dossier = Dossier(
        files={},
        replaced={str(kind): count for kind, count in masked.replaced.items()},
        unanswered={name: masker.text(printable(cause)) for name, cause in unanswered.items()},
        reads_otherwise=tuple(_differences(masker, replay(told), after)),
    )
    head = {
        "form": FORM,
        "benchd": version(),
        "taken_at": taken_at.isoformat(timespec="seconds"),
        **{name: value for name in _TOLD_OF if (value := after.facts[name]) is not None},
        **({"why": masker.text(printable(why, 4 * len(why)))} if why else {}),
        **({"reads_otherwise": dossier.reads_otherwise} if dossier.reads_otherwise else {}),
    }
    tables = {"replaced": dossier.replaced, "unanswered": dossier.unanswered}
    return replace(dossier, files=dict(_files(masked)) | {DESCRIPTION: _toml(head, tables)})


def _bounded(recording: Recording) -> tuple[dict[str, Answer], dict[str, str]]:
    """In the order of the questions, so that marks don't depend on who was asked when."""
    told = {name: recording.told[name] for name in QUESTIONS if name in recording.told}
    too_long = {
        name: f"{len(one.text)} characters, more than {LONGEST_ANSWER}"
        for name, one in told.items()
        if len(one.text) > LONGEST_ANSWER
    }
    kept = {name: answer for name, answer in told.items() if name not in too_long}
    return kept, {**recording.unanswered, **too_long}


def _files(masked: Masked) -> Iterator[tuple[str, str]]:
    for name, answer in masked.told.items():
        yield f"{name}.txt", answer.text
        if answer.status != 0:
            yield f"{name}.status", f"{answer.status}\n"


def _differences(masker: Masker, before: Replay, after: Replay) -> Iterator[str]:
    for name, fact in before.facts.items():
        if after.facts[name] != (masker.text(fact) if isinstance(fact, str) else fact):
            yield name
    if {one.command for one in before.refused} != {one.command for one in after.refused}:
        yield "refused"


def _toml(head: Mapping[str, object], tables: Mapping[str, Mapping[str, object]]) -> str:
    lines = [f"{key} = {_value(value)}" for key, value in head.items()]
    for name, table in tables.items():
        if table:
            lines += [
                "",
                f"[{name}]",
                *(f"{key} = {_value(value)}" for key, value in table.items()),
            ]
    return "\n".join(lines) + "\n"


def _value(value: object) -> str:
    """As JSON writes it, which is TOML for numbers, lists and texts without control characters."""
    return json.dumps(value, ensure_ascii=False)
