"""What a stage's evidence says, in words with units; figures are cut, never rounded up."""

from __future__ import annotations

import math
from collections.abc import Iterator

from benchd.domain.handset import BatteryWear
from benchd.domain.percentages import tenths
from benchd.domain.plain_text import size
from benchd.proof.evidence.chip_evidence import OPERATOR, ChipEvidence, ClearEvidence
from benchd.proof.evidence.handset_evidence import (
    GatesEvidence,
    InitialiseEvidence,
    InspectEvidence,
)
from benchd.proof.evidence.reset_evidence import FinalResetEvidence, ObserveEvidence
from benchd.proof.evidence.storage_evidence import OverwriteEvidence, ReadBackEvidence
from benchd.texts.catalogue import Catalogue, Texts

Finding = tuple[str, dict[str, str]]


def found_in(evidence: object | None, catalogue: Catalogue) -> list[Texts]:
    """The findings of one attempt in the order in which they are told; none of what is unknown."""
    return [_said(word, facts, catalogue) for word, facts in _findings(evidence)]


def _said(word: str, facts: dict[str, str], catalogue: Catalogue) -> Texts:
    if "method" not in facts:
        return catalogue.found(word, facts)
    method = catalogue.named("battery_method", facts["method"])
    return Texts(
        ja=catalogue.found(word, {**facts, "method": method.ja}).ja,
        en=catalogue.found(word, {**facts, "method": method.en}).en,
    )


def chip_in(evidence: object | None) -> ChipEvidence | None:
    """The look at the chip that an attempt has taken."""
    match evidence:
        case ChipEvidence():
            return evidence
        case ObserveEvidence(chip=ChipEvidence() as chip):
            return chip
        case _:
            return None


def _findings(evidence: object | None) -> Iterator[Finding]:  # noqa: C901 - one case a type
    match evidence:
        case InspectEvidence():
            yield from _inspected(evidence)
        case GatesEvidence(screen_number=str() as number):
            yield "found.screen_number", {"number": number}
        case ChipEvidence():
            yield from _looked(evidence)
        case InitialiseEvidence(after=None):
            yield "found.came_reset", {"used": size(evidence.before.used_bytes)}
        case InitialiseEvidence():
            yield "found.was_reset", {"used": size(evidence.left.used_bytes)}
        case OverwriteEvidence():
            yield from _written(evidence)
        case ReadBackEvidence():
            yield from _read_back(evidence)
        case ClearEvidence():
            yield "found.cleared_by", {"provider": evidence.provider}
        case FinalResetEvidence(absent_s=float() as seconds):
            yield "found.away", {"seconds": f"{math.floor(seconds)}"}
        case ObserveEvidence():
            yield "found.came_back", {"count": str(len(evidence.kinds))}
            if evidence.chip is not None:
                yield from _looked(evidence.chip)
        case _:
            pass


def _inspected(told: InspectEvidence) -> Iterator[Finding]:
    yield "found.system", {"android": told.android, "build": told.build}
    capacity, used = size(told.capacity_bytes), size(told.used_bytes)
    yield "found.storage", {"capacity": capacity, "used": used}
    degrees = f"{told.battery_temperature_c:.1f}"
    yield "found.battery", {"percent": str(told.battery_percent), "degrees": degrees}
    yield from _worn(told.battery_wear)
    if told.screen_lock is not None:
        yield ("found.locked" if told.screen_lock else "found.not_locked"), {}
    yield "found.accounts", {"count": str(told.account_count)}
    encrypted = told.crypto_state == "encrypted"
    yield ("found.encrypted" if encrypted else "found.not_encrypted"), {}


def _worn(told: BatteryWear) -> Iterator[Finding]:
    if told.health_percent is not None and told.health_method is not None:
        percent = str(told.health_percent)
        yield "found.battery_health", {"percent": percent, "method": told.health_method.value}
    if told.cycles is not None and told.cycles_method is not None:
        yield (
            "found.battery_cycles",
            {"count": str(told.cycles), "method": told.cycles_method.value},
        )


def _looked(told: ChipEvidence) -> Iterator[Finding]:
    if told.source == OPERATOR:
        yield "found.by_person", {}
    elif told.reader:
        yield "found.by_reader", {"reader": told.reader, "passes": str(told.passes)}


def _written(told: OverwriteEvidence) -> Iterator[Finding]:
    yield "found.written", {"size": size(told.bytes_written), "time": span(told.elapsed_s)}
    if told.elapsed_s > 0:
        fresh = max(told.bytes_written - told.resumed_bytes, 0)
        yield "found.rate", {"rate": size(int(fresh / told.elapsed_s))}
    yield "found.free_left", {"size": size(told.free_bytes_after)}


def _read_back(told: ReadBackEvidence) -> Iterator[Finding]:
    yield "found.proven", {"size": size(told.bytes_proven), "bad": size(told.bytes_bad)}
    yield (
        "found.coverage",
        {"percent": tenths(told.coverage), "minimum": tenths(told.minimum_coverage)},
    )
    yield (
        "found.host_samples",
        {"count": str(told.host_samples), "bad": str(told.host_mismatches)},
    )


def span(seconds: float) -> str:
    """3:12 or 1:02:45."""
    whole = math.floor(seconds)
    hours, minutes, rest = whole // 3600, whole // 60 % 60, whole % 60
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
