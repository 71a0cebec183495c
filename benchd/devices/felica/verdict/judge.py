"""From the nodes of a chip to a verdict: residue is whatever an unused chip doesn't have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from benchd.devices.felica.protocol.codes import ROOT, Node, ordered, system_text
from benchd.devices.felica.verdict.baselines import Baseline, Baselines
from benchd.devices.felica.verdict.node_listing import SystemNodes
from benchd.devices.felica.verdict.nodes import Name, NodeCatalogue
from benchd.domain.chip import ChipSystem, ChipVerdict

Residue = Mapping[int, frozenset[Node]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What the nodes of a chip say of it."""

    verdict: ChipVerdict
    """UNUSED, IN_USE or UNREADABLE."""
    detail: str
    systems: tuple[ChipSystem, ...]
    baseline: Baseline | None
    owners: tuple[Name, ...]


def judge(
    ic_type: int,
    systems: Mapping[int, SystemNodes],
    *,
    baselines: Baselines,
    catalogue: NodeCatalogue,
) -> Judgement:
    """UNUSED only if a baseline has all nodes, and the chip all systems and every list is whole.

    A system that an unused chip has and this one doesn't may be hidden by a lock, for example.
    Without a baseline of the IC type, the root areas alone are taken to be nobody's; that
    shows a chip in use, but never an unused one.
    """
    baseline, residue = _closest(ic_type, systems, baselines)
    verdict, detail = _verdict(ic_type, systems, baseline, residue)
    return Judgement(
        verdict=verdict,
        detail=detail,
        systems=tuple(
            ChipSystem(
                code=system_text(system),
                nodes=_texts(listed.nodes),
                residue=_texts(residue[system]),
            )
            for system, listed in systems.items()
        ),
        baseline=baseline,
        owners=catalogue.owners(
            (system, node) for system, nodes in residue.items() for node in nodes
        ),
    )


def _closest(
    ic_type: int, systems: Mapping[int, SystemNodes], baselines: Baselines
) -> tuple[Baseline | None, Residue]:
    """The baseline that fits best; among equals the most trustworthy kind."""
    candidates = [
        (baseline, _residue(systems, baseline.systems)) for baseline in baselines.of(ic_type)
    ]
    if not candidates:
        bare = dict.fromkeys(systems, frozenset({ROOT}))
        return None, _residue(systems, bare)
    return min(
        candidates,
        key=lambda candidate: (_count(candidate[1]), len(_missing(candidate[0], systems))),
    )


def _missing(baseline: Baseline, systems: Mapping[int, SystemNodes]) -> tuple[int, ...]:
    return tuple(sorted(baseline.systems.keys() - baseline.optional - systems.keys()))


def _residue(systems: Mapping[int, SystemNodes], allowed: Mapping[int, frozenset[Node]]) -> Residue:
    return {
        system: listed.nodes - allowed.get(system, frozenset())
        for system, listed in systems.items()
    }


def _verdict(
    ic_type: int,
    systems: Mapping[int, SystemNodes],
    baseline: Baseline | None,
    residue: Residue,
) -> tuple[ChipVerdict, str]:
    count = _count(residue)
    if count:
        beyond = "the root areas" if baseline is None else f"baseline {baseline.label}"
        return ChipVerdict.IN_USE, f"{count} nodes beyond {beyond}"
    if baseline is None:
        return ChipVerdict.UNREADABLE, f"no baseline for IC type {ic_type:02X}"
    if missing := _missing(baseline, systems):
        absent = ", ".join(map(system_text, missing))
        return ChipVerdict.UNREADABLE, f"system {absent} of baseline {baseline.label} is absent"
    if partly := [system for system, listed in systems.items() if not listed.complete]:
        cut = ", ".join(map(system_text, partly))
        return ChipVerdict.UNREADABLE, f"the chip doesn't list all nodes of system {cut}"
    return ChipVerdict.UNUSED, f"nothing beyond baseline {baseline.label}"


def _count(residue: Residue) -> int:
    return sum(map(len, residue.values()))


def _texts(nodes: frozenset[Node]) -> tuple[str, ...]:
    return tuple(node.text for node in ordered(nodes))
