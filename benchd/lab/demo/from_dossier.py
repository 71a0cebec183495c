"""A scenario from a dossier: a virtual handset that answers as the real one did."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Final

from benchd.devices.android.dossier.replay import Replay, replay
from benchd.devices.android.facts.inspection import OLDEST_SDK
from benchd.devices.android.shell.script import Answer
from benchd.domain.job import DISPOSITION_OF, Reason
from benchd.lab.simulator.answers import NEVER_GIVEN
from benchd.lab.simulator.handset_models import XPERIA_ACE_III
from benchd.lab.simulator.plan import (
    GivenAnswer,
    HandsetModel,
    HandsetPlan,
)
from benchd.lab.simulator.scenario import PASSED, ExpectedEnd, Scenario, failed

MOST_OWNER_SHARE: Final = 0.9
_SERIAL, _IMEI = "0123456789ABCDEF", "001000000000017"
_SUPERUSER: Final = "/system/xbin/su"


def scenario_of(told: Mapping[str, Answer]) -> Scenario:
    """The handset of a dossier, and how a job on it has to end by what benchd reads in it."""
    found = replay(told)
    given = {
        name: GivenAnswer(text=answer.text, status=answer.status)
        for name, answer in told.items()
        if name not in NEVER_GIVEN
    }
    _tell(told)
    plan = HandsetPlan(
        name="dossier",
        model=_model(found),
        serial=str(found.facts["serial"] or _SERIAL),
        imei=str(found.facts["imei"] or _IMEI),
        superuser=_SUPERUSER in (told["superuser"].text if "superuser" in told else ""),
        owner_share=_owner_share(found),
        felica=found.facts["felica_capable"] is not False,
        given=given,
    )
    return Scenario(plan=plan, end=_end(found))


def _owner_share(found: Replay) -> float:
    """How full it comes in: as full as the real one, if that had files of its owner."""
    used, capacity = (found.facts[name] for name in ("used_bytes", "capacity_bytes"))
    if not found.facts["owner_files"] or not isinstance(used, int) or not isinstance(capacity, int):
        return 0.0
    return min(round(used / capacity, 2), MOST_OWNER_SHARE)


def _end(found: Replay) -> ExpectedEnd:
    if found.refused:
        return failed(DISPOSITION_OF[Reason.ANSWER_NOT_RECOGNISED], Reason.ANSWER_NOT_RECOGNISED)
    if isinstance(sdk := found.facts["sdk"], int) and sdk < OLDEST_SDK:
        return failed(DISPOSITION_OF[Reason.UNSUPPORTED_MODEL], Reason.UNSUPPORTED_MODEL)
    if found.findings:
        return failed(DISPOSITION_OF[found.findings[0]], found.findings[0])
    return PASSED


def _model(found: Replay) -> HandsetModel:
    """What adb's own greeting and the reset need to know; the answers say the rest."""
    usual, facts = XPERIA_ACE_III, found.facts
    name = str(facts["model"] or usual.model)
    return HandsetModel(
        manufacturer=str(facts["manufacturer"] or usual.manufacturer),
        brand=str(facts["manufacturer"] or usual.brand),
        model=name,
        product=name,
        device=name,
        android=str(facts["android"] or usual.android),
        sdk=sdk if isinstance(sdk := facts["sdk"], int) else usual.sdk,
        build=str(facts["build"] or usual.build),
        incremental=usual.incremental,
        security_patch=str(facts["security_patch"] or usual.security_patch),
        vendor_id=usual.vendor_id,
        product_id=usual.product_id,
    )


def _tell(told: Mapping[str, Answer]) -> None:
    own = ", ".join(sorted(NEVER_GIVEN))
    sys.stderr.write(
        f"仮想端末の返答 {len(told)} 個は記録のものです。仮想端末自身のもの: {own}、CPUの種類、"
        "初期化で変わるもの(初期化後)\n"
        f"{len(told)} answers of the virtual handset are those of the dossier. Its own are {own},"
        " its processor's kind and, after its reset, all that a reset changes.\n"
    )
