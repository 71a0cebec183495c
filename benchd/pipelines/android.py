"""Handsets over adb as a kind of device: what is wrong with one, and whether it came back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, cast

from benchd.domain.errors import StageFailed
from benchd.domain.handset import FASTBOOT_INTERFACE, offers_adb
from benchd.domain.job import Reason
from benchd.domain.models.model_catalogue import ModelCatalogue
from benchd.domain.models.model_guidance import debugging_words
from benchd.domain.port import Attached, Liveness
from benchd.domain.ports import Device, DeviceAccess
from benchd.domain.slot import ProblemCode, ProblemView
from benchd.pipelines.device_support import DeviceSupport
from benchd.pipelines.handset_binding import check_return
from benchd.pipelines.ports import Handset
from benchd.pipelines.stage_contract import JobContext
from benchd.proof.erasure import ANDROID_PROFILE
from benchd.proof.evidence.job_evidence import ReturnEvidence

PROBLEM_OF: Final[Mapping[Liveness, ProblemCode]] = {
    Liveness.SERVER_DOWN: ProblemCode.ADB_SERVER_DOWN,
    Liveness.ABSENT: ProblemCode.OFFLINE,
    Liveness.OFFLINE: ProblemCode.OFFLINE,
    Liveness.UNAUTHORIZED: ProblemCode.UNAUTHORIZED,
    Liveness.NO_PERMISSION: ProblemCode.NO_PERMISSION,
    Liveness.WRONG_MODE: ProblemCode.WRONG_MODE,
}


def android_support(access: DeviceAccess[Handset]) -> DeviceSupport:
    """Handsets over adb, reached by this access."""
    return DeviceSupport(
        profile=ANDROID_PROFILE,
        access=access,
        problem_of=PROBLEM_OF,
        problem_of_port=_problem_of_port,
        check_return=_check_return,
    )


def _problem_of_port(
    attached: Attached, models: ModelCatalogue, context: JobContext | None
) -> ProblemView | None:
    """What its interfaces tell; None where adb is among them.

    With this handset's own menus; before adb has told its model, with its maker's.
    """
    if offers_adb(attached):
        return None
    if FASTBOOT_INTERFACE in attached.interfaces:
        return ProblemView(code=ProblemCode.WRONG_MODE)
    facts = None if context is None else context.facts
    menu = models.menu_of(facts.identity) if facts else models.menu_of_vendor(attached.vendor_id)
    return ProblemView(code=ProblemCode.ADB_DISABLED, facts=debugging_words(menu))


async def _check_return(context: JobContext, device: Device, attached: Attached) -> None:
    handset = cast("Handset", device)
    found = await handset.identity()
    android_id = await _android_id(context, handset)
    if context.facts is None:
        return
    if not context.facts.identity.same_handset(found):
        raise StageFailed(Reason.HANDSET_CHANGED, "another handset is in the slot now")
    seen = ReturnEvidence(
        attachment=attached.attachment,
        serial=found.serial,
        imeis=found.imeis,
        android_id=android_id,
    )
    check_return(context, seen)


async def _android_id(context: JobContext, handset: Handset) -> str | None:
    """The id that Android drew at its last reset, once the job has one to compare it with."""
    if context.evidence.initialise is None:
        return None
    return (await handset.reset_facts()).android_id
