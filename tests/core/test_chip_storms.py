"""Chips, benches, providers and people at random: what passes is what the rules let pass."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

import pytest

from benchd.domain.chip import BaselineKind, ChipScan, ChipVerdict
from benchd.domain.clear import ClearOutcome
from benchd.domain.job import Disposition, Gate
from benchd.domain.record import EntryKind

from .fake_chips import CHIP, OTHER_CHIP, FakeChip, FakeChipAccess, scan_of
from .world import Phone, World, ended

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]

ROUNDS = 60
FELICA_GATES = (Gate.FELICA_NO_CHIP, Gate.FELICA_RETIRED, Gate.FELICA_CLEAR, Gate.FELICA_ATTEST)
VERDICTS = list(ChipVerdict)
WEIGHTS = [6 if v in (ChipVerdict.UNUSED, ChipVerdict.SILENT) else 1 for v in VERDICTS]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """All that decides about one chip."""

    check: ChipScan
    recheck: ChipScan
    claim: ClearOutcome
    answers: dict[Gate, bool]
    capable: bool | None

    @classmethod
    def drawn(cls, rng: random.Random) -> Case:
        return cls(
            check=_scan(rng),
            recheck=_scan(rng),
            claim=rng.choice(list(ClearOutcome)),
            answers={gate: rng.random() < 0.7 for gate in FELICA_GATES},
            capable=rng.choice([True, False, False, None]),
        )

    def may_pass(self) -> bool:
        """The rules, told anew and without a look at the stages."""
        first, last = self.check, self.recheck
        if first.verdict is ChipVerdict.SILENT:
            told = self.capable is False and self.answers[Gate.FELICA_NO_CHIP]
            return told and last.verdict is ChipVerdict.SILENT
        if first.verdict is ChipVerdict.IN_USE and not self._claimed():
            return False
        if first.verdict not in (ChipVerdict.UNUSED, ChipVerdict.IN_USE):
            return False
        if last.verdict is not ChipVerdict.UNUSED or last.chip != first.chip:
            return False
        if last.baseline_kind is BaselineKind.OBSERVED:
            return True
        return self.answers[Gate.FELICA_ATTEST]

    def _claimed(self) -> bool:
        if self.claim is ClearOutcome.NEEDS_OPERATOR:
            return self.answers[Gate.FELICA_CLEAR]
        return self.claim in (ClearOutcome.DONE, ClearOutcome.ALREADY_INITIAL)


def _scan(rng: random.Random) -> ChipScan:
    scan = scan_of(rng.choices(VERDICTS, WEIGHTS)[0])
    if scan.verdict is ChipVerdict.SILENT:
        return scan
    return replace(
        scan,
        chip=rng.choices([CHIP, OTHER_CHIP], [9, 1])[0],
        baseline_kind=rng.choice([*BaselineKind, None]),
    )


@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.nightly) for seed in (2, 3))]
)
async def test_what_passes_is_what_the_rules_let_pass(seed: int) -> None:
    rng = random.Random(seed)
    passed = 0
    for _ in range(ROUNDS):
        case = Case.drawn(rng)
        chip = FakeChip(once=[case.check], looks=case.recheck, after_clear=None)
        chip.claims = [case.claim] * 5
        world = World(chips=FakeChipAccess({"A1": chip}), answers=case.answers)
        view = await world.end_of(Phone(felica_capable=case.capable))
        sellable = view.disposition is Disposition.SELLABLE
        assert sellable is case.may_pass(), case
        assert bool(world.issuer.kept) is sellable
        assert (ended(world)[0]["certificate"] is not None) is sellable
        assert len(world.ledger.of(EntryKind.JOB_ENDED)) == 1
        passed += sellable
    # A storm in which nothing passes, or everything, shows nothing.
    assert 5 <= passed <= ROUNDS - 5
