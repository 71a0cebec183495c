"""Looking at the chip of one handset so often that the same answer can be believed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

from benchd.devices.felica.protocol.chip_errors import AnotherChip, ChipFault
from benchd.devices.felica.protocol.chip_requests import ChipTransport, Talk
from benchd.devices.felica.protocol.codes import system_text
from benchd.devices.felica.verdict.baselines import Baselines
from benchd.devices.felica.verdict.chip_nodes import ChipNodes, list_chip
from benchd.devices.felica.verdict.judge import judge
from benchd.devices.felica.verdict.nodes import NodeCatalogue
from benchd.domain.chip import ChipScan, ChipVerdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """What several looks in a row have shown, before anybody judges it."""

    look: ChipNodes | None
    """What all looks agree on; None where there is no such thing."""
    verdict: ChipVerdict | None
    """Why there isn't: SILENT, INCONSISTENT or UNREADABLE. None where all agree."""
    detail: str
    passes: int
    """How many whole looks in a row were the same."""
    polled: tuple[int, ...]
    power_cycled: bool


def survey_chip(
    transport: ChipTransport,
    *,
    catalogue: NodeCatalogue,
    passes: int,
    power_cycle: bool,
    clock: Callable[[], float],
) -> Survey:
    """ChipNodes `passes` times (one or more), after switching the field off and on if asked to.

    Raises what the transport raises, ReaderGone and ReaderFault; whatever a chip does is part
    of the survey.
    """
    if passes < 1:
        message = "a survey takes at least one pass"
        raise ValueError(message)
    if power_cycle:
        transport.power_cycle()
    looks: list[ChipNodes | None] = []
    polled: dict[int, None] = {}

    def ended(verdict: ChipVerdict | None, detail: str) -> Survey:
        return Survey(
            look=looks[0] if looks and verdict is None else None,
            verdict=verdict,
            detail=detail,
            passes=len(looks) if verdict in {None, ChipVerdict.SILENT} else 0,
            polled=tuple(polled),
            power_cycled=power_cycle,
        )

    for _ in range(passes):
        talk = Talk(transport, clock)
        try:
            looks.append(list_chip(talk, catalogue))
        except AnotherChip as fault:
            return ended(ChipVerdict.INCONSISTENT, str(fault))
        except ChipFault as fault:
            return ended(ChipVerdict.UNREADABLE, str(fault))
        finally:
            polled.update(dict.fromkeys(talk.polled))
        if looks[-1] != looks[0]:
            return ended(ChipVerdict.INCONSISTENT, _difference(looks[0], looks[-1]))
    if looks[0] is None:
        return ended(ChipVerdict.SILENT, "no chip answered")
    return ended(None, "")


class ChipHashes(NamedTuple):
    """What a chip's IDm is told as: it itself leaves no worker."""

    own: str
    """With the rack's own secret."""
    fleet: str | None = None
    """With the one that all racks of its dealer have, where this one has it."""


def scan_chip(
    transport: ChipTransport,
    *,
    catalogue: NodeCatalogue,
    baselines: Baselines,
    identify: Callable[[bytes], ChipHashes],
    passes: int,
    power_cycle: bool,
    reader: str,
    clock: Callable[[], float],
) -> ChipScan:
    """A survey of the chip, and the verdict on it.

    `identify` hashes the IDm (8 bytes, without the number of a system), `reader` is the reader's
    model, `clock` counts seconds and never goes back. RETIRED and NO_CHIP are never the verdict:
    the air alone can't show them. Raises ReaderGone and ReaderFault.
    """
    started = clock()
    survey = survey_chip(
        transport, catalogue=catalogue, passes=passes, power_cycle=power_cycle, clock=clock
    )
    scan = ChipScan(
        verdict=survey.verdict or ChipVerdict.UNREADABLE,
        detail=survey.detail,
        polled=tuple(map(system_text, survey.polled)),
        passes=survey.passes,
        power_cycled=survey.power_cycled,
        reader=reader,
        elapsed_s=clock() - started,
    )
    if survey.look is None:
        return scan
    look, hashes = survey.look, identify(survey.look.chip)
    judgement = judge(look.ic_type, look.systems, baselines=baselines, catalogue=catalogue)
    baseline = judgement.baseline
    return replace(
        scan,
        verdict=judgement.verdict,
        detail=judgement.detail,
        chip=hashes.own,
        fleet_chip=hashes.fleet,
        ic_type=look.ic_type,
        systems=judgement.systems,
        baseline=None if baseline is None else baseline.label,
        baseline_kind=None if baseline is None else baseline.kind,
        baseline_sha256=None if baseline is None else baseline.sha256,
        owners_en=tuple(owner.en for owner in judgement.owners),
        owners_ja=tuple(owner.ja for owner in judgement.owners),
    )


def _difference(first: ChipNodes | None, last: ChipNodes | None) -> str:
    if first is None or last is None:
        return "the chip answered in one pass and not in another"
    if first.chip != last.chip:
        return "another chip answered in another pass"
    return "two passes show different nodes"
