"""The recipes of the simulated rack: that of an erasure, careful or lax."""

from __future__ import annotations

from typing import Final

from benchd.domain.job import StageName
from benchd.lab.adversity.schedule import BayPlan
from benchd.lab.adversity.truth import GIB
from benchd.pipelines.recipe import Recipe, StageSpec
from benchd.pipelines.stage_contract import Stage
from benchd.pipelines.stages import STAGE_CLASSES
from benchd.pipelines.stages.gates import GatesStage
from benchd.pipelines.stages.initialise import InitialiseStage
from benchd.pipelines.stages.observe import ObserveStage
from benchd.pipelines.stages.overwrite import OverwriteStage
from benchd.pipelines.stages.read_back import ReadBackStage
from benchd.proof.floors import MINIMUM_HOST_SAMPLES
from benchd.proof.stage_order import REQUIRED_STAGES
from benchd.proof.watch_list import Wanted, WatchList

DEADLINE_S: Final = 86_400.0
ATTEMPTS: Final = 3
FRESH_BYTES: Final = 6 * GIB
LITTLE_COVERAGE: Final = 0.5
ANYTHING_BYTES: Final = 1 << 40


def recipe_of(plan: BayPlan, wanted: Wanted | None = None) -> Recipe:
    """The recipe of a slot, with the name of the slot; `wanted` is looked for by the dealer."""
    lax = plan.lax_recipe
    watch_list = None if wanted is None else WatchList(wanted=wanted)
    set_up: tuple[Stage, ...] = (
        GatesStage(watch_list=watch_list, second_number="always"),
        InitialiseStage(
            fresh_used_bytes=ANYTHING_BYTES if lax else FRESH_BYTES,
            fresh_used_share=1.0 if lax else 0.2,
        ),
        OverwriteStage(file_bytes=GIB, unplugged="wait" if plan.waits else "abort"),
        ReadBackStage(
            minimum_coverage=LITTLE_COVERAGE if lax else plan.coverage,
            host_samples=MINIMUM_HOST_SAMPLES,
        ),
        ObserveStage(minimum_absence_s=0.001 if lax else 20.0),
    )
    by_name = {stage.describes.name: stage for stage in set_up}
    stages = [
        by_name.get(name) or STAGE_CLASSES[name]() for name in (*REQUIRED_STAGES, StageName.CERTIFY)
    ]
    return Recipe(
        name=plan.slot,
        digest="0" * 64,
        recheck_share=plan.recheck_share,
        stages=tuple(
            StageSpec(stage=stage, deadline_s=DEADLINE_S, attempts=ATTEMPTS) for stage in stages
        ),
    )
