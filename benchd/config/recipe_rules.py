"""What makes a list of stages a recipe: their order, and what they expect of each other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from benchd.config.locator import KeyPath
from benchd.config.mistake_wording import listed
from benchd.config.parsed_toml import Document
from benchd.config.stages import RecipeKind
from benchd.domain.errors import ConfigIssue
from benchd.domain.ids import ANDROID
from benchd.domain.job import Gate, Reason, StageName
from benchd.pipelines.parameters import parameters_of
from benchd.pipelines.recipe import StageSpec
from benchd.pipelines.stage_contract import StageDescription
from benchd.pipelines.stages.gates import ATTESTATIONS, GatesStage
from benchd.pipelines.thermal_pause import CareLimits
from benchd.proof.erasure import DeviceProfile
from benchd.proof.recheck_proof import RECHECK_STAGES

CHANGES_NOTHING: Final = (Reason.ASSESSED, Reason.RECHECKED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadStage:
    """One stage of a recipe's file, as far as it could be understood."""

    index: int
    name: StageName | None
    spec: StageSpec | None
    describes: StageDescription | None
    """What the stage says of itself, also where its parameters are wrong."""

    def path(self, key: str) -> KeyPath:
        """Where one of its keys stands."""
        return ("stage", self.index, key)


def recipe_issues(
    document: Document, stages: Sequence[ReadStage], kind: RecipeKind
) -> list[ConfigIssue]:
    """Every broken rule; those on order only when each name is known, as one may be misspelt."""
    issues = [
        *_repeated(document, stages),
        *_impatient(document, stages),
        *_restless(document, stages),
    ]
    names = [stage.name for stage in stages if stage.name is not None]
    if len(names) == len(stages):
        issues += _unpaired(document, stages)
        issues += _ends_otherwise(document, stages, kind)
        issues += _needs_adb(document, stages, kind)
        issues += _rechecks(document, stages, kind)
        certifies = StageName.CERTIFY in names
        unfit = list(_not_certifiable(document, stages, kind.profile)) if certifies else []
        issues += unfit or _unprepared(document, stages)
    return issues


def _repeated(document: Document, stages: Sequence[ReadStage]) -> Iterator[ConfigIssue]:
    first: dict[StageName, ReadStage] = {}
    for stage in stages:
        if stage.name is not None and first.setdefault(stage.name, stage) is not stage:
            line = document.place(first[stage.name].path("name")).line
            yield document.issue(
                stage.path("name"),
                f"{stage.name} stands in line {line} already; allowed is each stage once",
            )


def _impatient(document: Document, stages: Sequence[ReadStage]) -> Iterator[ConfigIssue]:
    """A deadline that ends a stage before its own patience does makes that patience a lie."""
    for stage in stages:
        if stage.spec is None:
            continue
        waits = _waits(stage.spec)
        if waits and stage.spec.deadline_s <= sum(waits.values()):
            yield document.issue(
                stage.path("deadline_s"),
                f"found {stage.spec.deadline_s:g}, allowed is more than the stage may wait:"
                f" {' + '.join(waits)} = {sum(waits.values()):g}",
            )


def _restless(document: Document, stages: Sequence[ReadStage]) -> Iterator[ConfigIssue]:
    """A handset that may work again exactly where it has to rest would do neither for long."""
    for stage in stages:
        if stage.spec is None or not isinstance(stage.spec.stage, CareLimits):
            continue
        limits = stage.spec.stage
        if limits.work_below_c >= limits.rest_above_c:
            yield document.issue(
                stage.path("work_below_c"),
                f"found {limits.work_below_c}, allowed is less than"
                f" rest_above_c = {limits.rest_above_c}",
            )
        if limits.work_above_percent <= limits.rest_below_percent:
            yield document.issue(
                stage.path("work_above_percent"),
                f"found {limits.work_above_percent}, allowed is more than"
                f" rest_below_percent = {limits.rest_below_percent}",
            )


def _waits(spec: StageSpec) -> dict[str, float]:
    parameters = parameters_of(type(spec.stage))
    names = [parameter.name for parameter in parameters if parameter.waits]
    return {name: getattr(spec.stage, name) for name in names}


def _unpaired(document: Document, stages: Sequence[ReadStage]) -> Iterator[ConfigIssue]:
    names = [stage.name for stage in stages]
    for stage, before, after in zip(stages, [None, *names], [*names[1:], None], strict=False):
        if stage.name is StageName.READ_BACK and before is not StageName.OVERWRITE:
            yield document.issue(
                stage.path("name"), "read_back reads what overwrite wrote: put it directly after"
            )
        if stage.name is StageName.OVERWRITE and after is not StageName.READ_BACK:
            yield document.issue(
                stage.path("name"),
                "overwrite leaves the storage full, and read_back empties it: put that directly"
                " after",
            )


def _unprepared(document: Document, stages: Sequence[ReadStage]) -> Iterator[ConfigIssue]:
    seen: set[StageName | None] = set()
    for stage in stages:
        needed = stage.describes.after if stage.describes else ()
        missing = [name for name in needed if name not in seen]
        # That the read-back lacks its overwrite is said with where it has to stand.
        if missing and stage.name is not StageName.READ_BACK:
            yield document.issue(
                stage.path("name"), f"{stage.name} needs {listed(missing)} before it"
            )
        spoilt = stage.describes.before if stage.describes else ()
        too_early = [name for name in spoilt if name in seen]
        if too_early:
            yield document.issue(
                stage.path("name"), f"{stage.name} can't come after {listed(too_early)}"
            )
        seen.add(stage.name)
    for name in (StageName.FELICA_ERASE, StageName.FELICA_CLEAR):
        if name not in seen:
            continue
        # What the chip holds is lost for good; the stage itself refuses too, but after hours.
        for stage in stages:
            gates = stage.spec.stage if stage.spec else None
            if isinstance(gates, GatesStage) and Gate.CONSENT not in gates.attest:
                yield document.issue(
                    stage.path("attest"), f"{name} needs consent among what is asked for"
                )


def _ends_otherwise(
    document: Document, stages: Sequence[ReadStage], kind: RecipeKind
) -> Iterator[ConfigIssue]:
    """An end that says more than its stages have done would be believed."""
    end = document.data.get("ends_as")
    names = [stage.name for stage in stages]
    if end is not None and StageName.CERTIFY in names:
        yield document.issue(("ends_as",), "a recipe with certify ends with its certificate")
        return
    if end is not None and StageName.CERTIFY_DRAWN in names:
        yield document.issue(("ends_as",), "a recheck ends with the drawn job's certificate")
        return
    if document.data.get("good_for_days") is not None and end != Reason.RECHECKED:
        yield document.issue(
            ("good_for_days",), 'only what ends as "rechecked" is good for so many days'
        )
    described = [stage.describes for stage in kind.stages.values()]
    needed = [each.name for each in described if end in each.needed_for]
    missing = [name for name in needed if name not in names]
    if missing:
        yield document.issue(("ends_as",), f"{end} needs {listed(missing)} among the stages")
    for stage in stages:
        if end in CHANGES_NOTHING and stage.describes and stage.describes.destructive:
            yield document.issue(
                stage.path("name"), f"a recipe that ends as {end} changes nothing on the handset"
            )


def _needs_adb(
    document: Document, stages: Sequence[ReadStage], kind: RecipeKind
) -> Iterator[ConfigIssue]:
    if document.data.get("needs_adb") is not False:
        return
    described = [stage.describes for stage in kind.stages.values()]
    allowed = [each.name for each in described if not each.needs_access]
    for stage in stages:
        if stage.name not in allowed:
            yield document.issue(
                stage.path("name"),
                f"{stage.name} needs adb, and needs_adb is false; allowed then is one of"
                f" {listed(allowed)}",
            )


def _rechecks(
    document: Document, stages: Sequence[ReadStage], kind: RecipeKind
) -> Iterator[ConfigIssue]:
    """A recheck is its three stages and nothing else; only what is certified is drawn for one."""
    names = [stage.name for stage in stages]
    share = document.data.get("recheck_share", 0)
    if share and StageName.CERTIFY not in names:
        yield document.issue(("recheck_share",), "only a recipe with certify draws for a recheck")
    if share and kind.profile.kind != ANDROID:
        yield document.issue(("recheck_share",), "only handsets are drawn for a recheck")
    strange = [stage for stage in stages if stage.name in RECHECK_STAGES]
    if strange and names != list(RECHECK_STAGES):
        yield document.issue(
            strange[0].path("name"),
            f"a recheck is {' → '.join(RECHECK_STAGES)} and nothing else",
        )
    if strange and document.data.get("needs_adb", True) is not False:
        yield document.issue(
            strange[0].path("name"),
            "a handset that is rechecked has no adb: allowed is needs_adb = false",
        )


def _not_certifiable(
    document: Document, stages: Sequence[ReadStage], profile: DeviceProfile
) -> Iterator[ConfigIssue]:
    """Found out by the certificate itself, it would cost hours first."""
    required = profile.required_stages
    names = [stage.name for stage in stages]
    certify = stages[names.index(StageName.CERTIFY)]
    before = [name for name in names[: certify.index] if name in required]
    missing = [name for name in required if name not in before]
    order = f"allowed is {' → '.join(required)}"
    if missing:
        yield document.issue(
            certify.path("name"), f"certify needs {listed(missing)} before it; {order}"
        )
    elif before != list(required):
        yield document.issue(certify.path("name"), f"certify needs another order; {order}")
    if certify.index != len(stages) - 1:
        yield document.issue(
            certify.path("name"), "certify is the last stage: it certifies what was before it"
        )
    for stage in stages:
        if stage.spec is not None and isinstance(stage.spec.stage, GatesStage):
            if stage.spec.stage.accept:
                yield document.issue(
                    stage.path("accept"),
                    "a recipe with certify lets nothing through: []",
                )
            unasked = [
                gate
                for gate in ATTESTATIONS
                if gate in profile.required_approvals and gate not in stage.spec.stage.attest
            ]
            if unasked:
                yield document.issue(
                    stage.path("attest"),
                    f"{listed(unasked)} missing; a recipe with certify has to ask for"
                    f" {listed(ATTESTATIONS)}",
                )
