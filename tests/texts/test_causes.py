"""Why exactly a job has ended, or an answer wasn't taken, is told in the operator's language."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchd.domain.fill import ENDED_BY_QUOTA, NOTHING_OF_THIS_JOB, REMAINS_OF_LOOK
from benchd.domain.job import Gate
from benchd.texts.catalogue import Catalogue
from benchd.texts.causes import LONGEST_CAUSE, Causes

SOURCE = Path(__file__).parents[2] / "benchd"
NO_DAEMON = ("lab", "cli", "config")
"""Rooms that no operator's screen hears of."""
ENDINGS = {
    "StageFailed": 1,
    **dict.fromkeys(
        ("HandsetStalled", "StorageFault", "StorageContradicts", "UnsupportedHandset"), 0
    ),
    **dict.fromkeys(("HandsetGone", "TransientFault", "ReaderGone"), 0),
}
"""AnswerNotRecognised stays technical: what wasn't understood can't be told in words."""
REFUSALS: dict[str, int] = dict.fromkeys(
    (
        *("DecisionRefused", "SecondPersonNeeded", "RecheckRefused", "IntakeRefused"),
        *("AnsweredAlready", "SettlingRefused", "LabelRefused", "TokenRefused"),
        *("PersonRefused", "NameRefused", "SlotBusy", "NotFound", "NotSignedIn"),
        *("NotAllowed", "MoreToShow", "CertificateInvalid"),
    ),
    0,
)
SAMPLES = {
    **dict.fromkeys(("gate", "question.gate", "Gate.CONFIRM", "Gate.FINAL_RESET"), "confirm"),
    **dict.fromkeys(("Gate.RECHECK", "Gate.RECHECK_CHIP"), "recheck"),
    "spec.name": "overwrite",
    "because": "no_chip",
    "scan.verdict": "silent",
    "scan.detail": "3 nodes beyond baseline X",
    **dict.fromkeys(("cause", "why"), ""),
    "_CURE": (
        "nothing on it can be shown to come from its storage, so no overwrite of it can be proven;"
        " it has to be erased in another way, or destroyed"
    ),
    "seen.detail": "a person clears the chip",
    "RESTRICTED": "×",
    "item.state": "held",
    "refused.detail": NOTHING_OF_THIS_JOB,
    "REMAINS_OF_LOOK": REMAINS_OF_LOOK,
}
"""What stands for facts that can't be just anything."""
COMPOSED = {
    "'; '.join(others)": "what differs between two handsets",
    "'; '.join(missing)": "what shows no reset",
    "'; '.join(differs)": "what differs between two looks",
    "NOT_RUNNING": "the reader's own trouble",
    "str(gap)": "which record the proof misses",
    "str(refused)": "what a person was told already",
    "str(fault)": "a fault that is counted here where it was raised",
    "error.message": "the fill program's own words",
    "detail": "told where it is made",
    "_what_is_bad(report, order.ordered_bytes)": "tried below",
    "NOTHING_OF_THIS_JOB": "tried below",
    "ENDED_BY_QUOTA": "tried below",
    "self._trouble_of(slot)": "the reader's own trouble",
    "self._trouble": "the reader's own trouble",
    "why": "the reader's own trouble",
    "assigned.cause if assigned else f'slot {slot} has no reader'": "the reader's own trouble",
    "_NOTES[settling.to]": "tried below",
    "_LOCKED": "tried below",
    "_why_not(history)": "tried below",
    "_of_no_trusted_key(envelope.key_id, ring)": "tried below",
    "'; '.join(filter(None, said)) or 'a name stands twice'": "which files aren't as listed",
}
"""Sentences that are put together elsewhere."""
STAYS_TECHNICAL = {
    "there is no {asked.of} {asked.name}": "by which of three words was asked",
    "this route declares no action": "a mistake of benchd itself",
    "{settled.gate}: {'; '.join(gaps)}": "which record the proof misses",
    "{part.name}: {printable(failed[1].decode(errors='replace'))}": "a program's own words",
}


@dataclass(frozen=True, slots=True)
class Said:
    """One sentence at its place; `template` has the expressions of its facts in braces."""

    place: str
    template: str | None
    expression: str


def said_by(kinds: Mapping[str, int]) -> Iterator[Said]:
    """What is raised as one of these; the number tells which argument is the sentence."""
    for file in sorted(SOURCE.rglob("*.py")):
        inside = file.relative_to(SOURCE)
        if inside.parts[0] in NO_DAEMON:
            continue
        tree = ast.parse(file.read_text("utf-8"))
        for call in ast.walk(tree):
            if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
                continue
            number = kinds.get(call.func.id)
            if number is None or len(call.args) <= number:
                continue
            sentence = call.args[number]
            meant = _assigned(tree, sentence) if isinstance(sentence, ast.Name) else sentence
            yield Said(
                f"{inside.as_posix()}:{call.lineno}", _template(meant), ast.unparse(sentence)
            )


def _assigned(tree: ast.AST, name: ast.Name) -> ast.AST:
    """What was last written to this name above its use."""
    found: ast.AST = name
    line = 0
    for node in ast.walk(tree):
        if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
            continue
        if node.targets[0].id == name.id and line < node.lineno < name.lineno:
            found, line = node.value, node.lineno
    return found


def _template(node: ast.AST) -> str | None:
    match node:
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=values):
            parts = [
                part.value
                if isinstance(part, ast.Constant)
                else f"{{{ast.unparse(part.value)}}}"
                if isinstance(part, ast.FormattedValue)
                else ""
                for part in values
            ]
            return "".join(map(str, parts))
        case _:
            return None


@pytest.fixture(scope="module")
def causes() -> Causes:
    return Causes.load(Catalogue.load())


def sample(template: str) -> str:
    return re.sub(r"\{([^{}]*)\}", lambda fact: SAMPLES.get(fact[1], "7"), template)


@pytest.mark.parametrize("kinds", [ENDINGS, REFUSALS], ids=["endings", "refusals"])
def test_every_sentence_in_the_code_is_told_in_japanese(
    causes: Causes, kinds: dict[str, int]
) -> None:
    told = list(said_by(kinds))
    assert len(told) > 30
    missing = [
        f"{said.place}: {said.template or said.expression}"
        for said in told
        if (said.expression if said.template is None else said.template)
        not in (COMPOSED if said.template is None else STAYS_TECHNICAL)
        and (said.template is None or causes.said(sample(said.template)) is None)
    ]
    assert missing == []


def test_nothing_is_called_technical_that_is_no_more_said() -> None:
    told = [*said_by(ENDINGS), *said_by(REFUSALS)]
    assert STAYS_TECHNICAL.keys() <= {said.template for said in told}
    assert COMPOSED.keys() <= {said.expression for said in told}


@pytest.mark.parametrize(
    ("told", "japanese"),
    [
        ("no line from the fill program for 5 s", "5 秒間、何も届きません"),
        pytest.param(
            f"{Gate.CONFIRM} was answered with no",
            "質問「別担当者による確認」に「いいえ」",
            id="by its gate",
        ),
        ("confirm was answered with no", "質問「別担当者による確認」に「いいえ」"),
        ("user 150: secure_folder, user 11: person", "セキュリティフォルダ"),
        ("2 accounts, screen lock True; of unknown type: com.x", "画面ロックあり"),
        (
            "silent: no chip answered; NFC is off on this handset, its screen is off",
            "この端末はNFCがオフです",
        ),
        ("in_use: 3 nodes beyond the root areas (Suica)", "領域が 3 個: Suica"),
        ("4096 bytes aren't what was written, 8192 of 12288 proven (fill-0+0:4096)", "4096 バイト"),
        ("the handset that came back holds nothing of what this job had written", "戻った端末"),
        (f"{NOTHING_OF_THIS_JOB}; {REMAINS_OF_LOOK}", "削除できませんでした"),
        (ENDED_BY_QUOTA, "クォータ"),
        ("7667712 bytes are still free after the fill, 4194304 may be", "7667712 バイト"),
        ("a release needs its reason in the note", "理由をメモに"),
        ("say in the note to whom it was handed back", "だれに返したか"),
        ("the note has to be the number of the certificate that it's sold under", "証明書番号"),
        (
            "nobody is signed in here any more: scan your badge, or give your id and PIN",
            "IDとPIN",
        ),
        ("job 1-2 has no certificate", "作業 1-2 に証明書はありません"),
        ("the certificate names another key than the one that was given", "最新の公開鍵"),
    ],
)
def test_facts_are_filled_in(causes: Causes, told: str, japanese: str) -> None:
    said = causes.said(told)
    assert said is not None
    assert japanese in said.ja
    assert "{" not in said.ja + said.en
    assert "confirm was" not in said.en, "codes are told by their names in English too"


def test_hostile_facts_stay_text(causes: Causes) -> None:
    said = causes.said("of unknown type: \x1b[2J\u202e{number}<b>\\1")
    assert said is not None
    assert said.ja == "種類の分からないアカウント: [2J{number}<b>\\1"


@pytest.mark.parametrize(
    "told",
    [
        *("", "getprop: no ABI", "no line from the fill program for ever"),
        *("no chip answered; getprop: no ABI", "x" * (LONGEST_CAUSE + 1)),
    ],
)
def test_what_has_no_known_form_or_only_in_half_is_not_told(causes: Causes, told: str) -> None:
    assert causes.said(told) is None


def test_no_sentence_stands_twice() -> None:
    says = [
        cause["says"]
        for cause in tomllib.loads((SOURCE / "texts" / "causes.toml").read_text("utf-8"))["cause"]
    ]
    assert len(says) == len(set(says))
