"""The two stages of a stick, and what its recipes are made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Final

from annotated_types import Interval

from benchd.config.stages import RecipeKind
from benchd.domain.job import StageName
from benchd.pipelines.stage_contract import JobContext, StageDescription, StageResult
from benchd.pipelines.stages.certify import CertifyStage

from .access import OpenStick
from .profile import (
    LEAST_PASSES,
    STICK_PROFILE,
    STICK_VERIFY,
    STICK_WIPE,
    VerifyEvidence,
    WipeEvidence,
)


def stick_of(context: JobContext) -> OpenStick:
    """The device as a stick."""
    assert isinstance(context.device, OpenStick)
    return context.device


@dataclass(frozen=True, slots=True, kw_only=True)
class StickWipeStage:
    """Writes all of it, zeros last."""

    describes: ClassVar[StageDescription] = StageDescription(
        name=STICK_WIPE, destructive=True, needs_access=True
    )

    passes: Annotated[int, Interval(ge=1, le=35)] = LEAST_PASSES

    async def run(self, context: JobContext) -> StageResult:
        stick = stick_of(context)
        sizes = [await stick.write(value) for value in range(self.passes - 1, -1, -1)]
        return StageResult(evidence=WipeEvidence(capacity_bytes=sizes[-1], passes=self.passes))


@dataclass(frozen=True, slots=True, kw_only=True)
class StickVerifyStage:
    """Reads all of it."""

    describes: ClassVar[StageDescription] = StageDescription(
        name=STICK_VERIFY, destructive=False, needs_access=True, after=(STICK_WIPE,)
    )

    async def run(self, context: JobContext) -> StageResult:
        read = await stick_of(context).read()
        other = len(read) - read.count(0)
        return StageResult(evidence=VerifyEvidence(bytes_read=len(read), bytes_other=other))


STICK_RECIPES: Final = RecipeKind.of(
    STICK_PROFILE,
    {
        STICK_WIPE: StickWipeStage,
        STICK_VERIFY: StickVerifyStage,
        StageName.CERTIFY: CertifyStage,
    },
)
