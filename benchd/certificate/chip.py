"""What a certificate says of the FeliCa chip, and on what that rests, in plain words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from benchd.certificate import form
from benchd.certificate.form import Form
from benchd.proof.chip import SEEN_BASELINES
from benchd.proof.erasure import VerifiedErasure
from benchd.proof.evidence import EvidenceReader
from benchd.words.chip import BaselineKind, ChipVerdict
from benchd.words.ids import Evidence, JsonValue
from benchd.words.job import Gate, Outcome, StageName

OPERATOR: Final = "operator"
READER: Final = "reader"

UNKNOWN_KIND: Final = "unknown"
_BASIS_OF: Final[Mapping[str, str]] = {
    BaselineKind.OBSERVED: (
        "scanned over the air and equal to an unused chip as it was observed on a handset whose"
        " own screen said so"
    ),
    BaselineKind.SIMULATED: (
        "scanned over the air and equal to an unused chip that is only simulated: this says"
        " nothing about a real chip; an operator attests what the handset's own screen says"
    ),
    BaselineKind.INFERRED: (
        "scanned over the air and equal to an unused chip as it is only inferred from documents,"
        " observed on no handset; an operator attests what the handset's own screen says"
    ),
    UNKNOWN_KIND: (
        "scanned over the air and equal to a picture of an unused chip of unknown origin; an"
        " operator attests what the handset's own screen says"
    ),
}
_BASIS_OF_SCREEN: Final = (
    "an operator's word on what the handset's own screen says; no reader looked at the chip"
)
_BASIS_OF_NO_CHIP: Final = (
    "nothing answered over the air, the handset names no FeliCa, and an operator found no mark"
    " of it: all three together"
)
_SOURCES_OF_NO_CHIP: Final = ("reader: silent", "handset: not capable", "operator: no chip")

FORM: Final[Form] = {
    "check": form.text,
    "clear": form.text,
    "recheck": form.one_of(ChipVerdict.UNUSED, ChipVerdict.NO_CHIP),
    "source": form.one_of(READER, OPERATOR),
    "sources": form.texts,
    "baseline": form.text_or_null,
    "baseline_kind": form.text_or_null,
    "basis": form.text,
}


def chip_of(erasure: VerifiedErasure) -> dict[str, JsonValue]:
    """The certificate's words on the chip of a proven erasure."""
    clear = erasure.stages[StageName.FELICA_CLEAR]
    recheck = EvidenceReader(
        erasure.stages[StageName.FELICA_RECHECK].evidence, StageName.FELICA_RECHECK
    )
    check = EvidenceReader(erasure.stages[StageName.FELICA_CHECK].evidence, StageName.FELICA_CHECK)
    if clear.outcome is Outcome.SKIPPED:
        cleared = f"skipped: {clear.skipped_because}"
    else:
        cleared = EvidenceReader(clear.evidence, StageName.FELICA_CLEAR).text("claim")
    return {
        "check": check.text("verdict"),
        "clear": cleared,
        "recheck": recheck.text("verdict"),
        "source": recheck.text("source"),
        **_rests_on(recheck),
    }


def _rests_on(recheck: EvidenceReader) -> dict[str, JsonValue]:
    source, verdict = recheck.text("source"), recheck.text("verdict")
    if source == READER and verdict == ChipVerdict.UNUSED:
        kind = recheck.optional_text("baseline_kind") or UNKNOWN_KIND
        return {**_words(source, verdict, kind), "baseline": recheck.text("baseline")}
    return {**_words(source, verdict, None), "baseline": None}


def _words(source: JsonValue, verdict: JsonValue, kind: str | None) -> dict[str, JsonValue]:
    """All that follows from who looked, what was found, and what it was compared with."""
    if source == OPERATOR:
        basis, sources = _BASIS_OF_SCREEN, [f"operator: {Gate.FELICA_RECHECK}"]
    elif verdict == ChipVerdict.NO_CHIP:
        basis, sources = _BASIS_OF_NO_CHIP, list(_SOURCES_OF_NO_CHIP)
    else:
        basis, sources = _BASIS_OF.get(kind or "", ""), [f"reader: {ChipVerdict.UNUSED}"]
        if kind not in SEEN_BASELINES:
            sources.append(f"operator: {Gate.FELICA_ATTEST}")
    return {"basis": basis, "sources": sources, "baseline_kind": kind}


def gaps_of_chip(chip: Evidence) -> Iterator[str]:
    """What keeps words on a chip from being a certificate's, their form being right already."""
    source, verdict, kind = chip["source"], chip["recheck"], chip["baseline_kind"]
    compared = source == READER and verdict == ChipVerdict.UNUSED
    if source == OPERATOR and verdict != ChipVerdict.UNUSED:
        yield "no operator's look shows that there is no FeliCa chip"
    if compared and (not isinstance(kind, str) or kind not in _BASIS_OF):
        yield "it isn't said where the picture of an unused FeliCa chip comes from"
    if compared is not bool(chip["baseline"]):
        yield "it isn't said what an unused FeliCa chip was taken to look like"
    for key, value in _words(source, verdict, str(kind) if compared else None).items():
        if chip[key] != value:
            yield f"felica.{key} isn't what the rest of it says"
