"""The stages that recipes are made of, and what each of their parameters allows."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Final

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    Strict,
    create_model,
)

from benchd.config.watch_lists import watch_list
from benchd.config.wording import found, listed, refused
from benchd.pipelines.contract import Stage
from benchd.pipelines.recipe import StageSpec
from benchd.pipelines.stages.assess import AssessStage
from benchd.pipelines.stages.certify import CertifyStage
from benchd.pipelines.stages.confirm import ConfirmStage
from benchd.pipelines.stages.felica_check import FelicaCheckStage
from benchd.pipelines.stages.felica_clear import FelicaClearStage
from benchd.pipelines.stages.felica_recheck import FelicaRecheckStage
from benchd.pipelines.stages.final_reset import FinalResetStage
from benchd.pipelines.stages.gates import ACCEPTABLE, ATTESTATIONS, GatesStage
from benchd.pipelines.stages.initialise import InitialiseStage
from benchd.pipelines.stages.inspect import InspectStage
from benchd.pipelines.stages.look import LookStage
from benchd.pipelines.stages.observe import ObserveStage
from benchd.pipelines.stages.overwrite import OverwriteStage
from benchd.pipelines.stages.read_back import ReadBackStage
from benchd.pipelines.watch_list import WatchList
from benchd.proof.floors import MINIMUM_HOST_SAMPLES
from benchd.words.job import Gate, Reason, StageName

STAGE_CLASSES: Final[Mapping[StageName, Callable[..., Stage]]] = MappingProxyType(
    {
        StageName.INSPECT: InspectStage,
        StageName.GATES: GatesStage,
        StageName.FELICA_CHECK: FelicaCheckStage,
        StageName.INITIALISE: InitialiseStage,
        StageName.OVERWRITE: OverwriteStage,
        StageName.READ_BACK: ReadBackStage,
        StageName.FELICA_CLEAR: FelicaClearStage,
        StageName.FELICA_RECHECK: FelicaRecheckStage,
        StageName.FINAL_RESET: FinalResetStage,
        StageName.OBSERVE: ObserveStage,
        StageName.CONFIRM: ConfirmStage,
        StageName.CERTIFY: CertifyStage,
        StageName.ASSESS: AssessStage,
        StageName.LOOK: LookStage,
    }
)

LONGEST_S = 30 * 24 * 3600
"""A month; what is longer was most likely meant as milliseconds."""
LARGEST_BYTES = 1 << 40
"""The fill program takes no larger file, and no handset has more storage."""
FILL_BLOCK_BYTES = 4096


def _attestation(gate: Gate) -> Gate:
    if gate not in ATTESTATIONS:
        raise refused(f"found {found(str(gate))}, allowed is one of {listed(ATTESTATIONS)}")
    return gate


def _acceptable(reason: Reason) -> Reason:
    if reason not in ACCEPTABLE:
        raise refused(f"found {found(str(reason))}, allowed is one of {listed(ACCEPTABLE)}")
    return reason


# pydantic would turn "5" and true into numbers; enums and tuples have to be turned into.
WholeNumber = Annotated[int, Strict()]
Number = Annotated[float, Strict(), Field(allow_inf_nan=False)]
Seconds = Annotated[Number, Field(gt=0, le=LONGEST_S)]

_BY_PARAMETER: Mapping[str, object] = {
    "attest": tuple[Annotated[Gate, AfterValidator(_attestation)], ...],
    "accept": tuple[Annotated[Reason, AfterValidator(_acceptable)], ...],
    "watch_list": Annotated[WatchList | None, BeforeValidator(watch_list)],
    "imei_by_hand": Annotated[bool, Strict()],
    "file_bytes": Annotated[
        # Each file is a line of evidence: smaller ones would only bloat the ledger.
        WholeNumber,
        Field(ge=1 << 20, le=LARGEST_BYTES, multiple_of=FILL_BLOCK_BYTES),
    ],
    "host_samples": Annotated[WholeNumber, Field(ge=MINIMUM_HOST_SAMPLES, le=100_000)],
    "minimum_coverage": Annotated[Number, Field(gt=0, le=1)],
}
_BY_UNIT: Mapping[str, object] = {
    "_s": Seconds,
    "_bytes": Annotated[WholeNumber, Field(gt=0, le=LARGEST_BYTES)],
    "_c": Annotated[Number, Field(ge=-20, le=60)],
    "_share": Annotated[Number, Field(gt=0, le=1)],
    "_percent": Annotated[WholeNumber, Field(ge=0, le=100)],
}


class StageTable(BaseModel):
    """What every stage of a recipe has; a stage of its own kind has its parameters too."""

    model_config = ConfigDict(extra="ignore", frozen=True, validate_default=True)

    name: StageName
    deadline_s: Seconds
    attempts: Annotated[WholeNumber, Field(ge=1, le=10)]


def _allowed(parameter: inspect.Parameter) -> object:
    """The type of a parameter with its limits, which follow from its name and its unit."""
    if parameter.name in _BY_PARAMETER:
        return _BY_PARAMETER[parameter.name]
    for unit, kind in _BY_UNIT.items():
        if parameter.name.endswith(unit):
            return kind
    return parameter.annotation


def _table_of(name: StageName, make: Callable[..., Stage]) -> type[StageTable]:
    parameters = inspect.signature(make, eval_str=True).parameters.values()
    definitions: dict[str, Any] = {
        parameter.name: (
            _allowed(parameter),
            ... if parameter.default is inspect.Parameter.empty else parameter.default,
        )
        for parameter in parameters
    }
    return create_model(f"{name}_table", __base__=_KnownStageTable, **definitions)


class _KnownStageTable(StageTable):
    model_config = ConfigDict(extra="forbid")


STAGE_TABLES: Final[Mapping[StageName, type[StageTable]]] = MappingProxyType(
    {name: _table_of(name, make) for name, make in STAGE_CLASSES.items()}
)


def stage_spec(table: StageTable) -> StageSpec:
    """The step that a table of STAGE_TABLES describes."""
    common = StageTable.model_fields.keys()
    parameters = {
        name: getattr(table, name) for name in type(table).model_fields if name not in common
    }
    return StageSpec(
        name=table.name,
        stage=STAGE_CLASSES[table.name](**parameters),
        deadline_s=table.deadline_s,
        attempts=table.attempts,
    )
