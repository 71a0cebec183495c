"""Why a handset that is on its port can't be worked with, in the words of the wall."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from benchd.models.catalogue import ModelCatalogue
from benchd.models.guidance import debugging_words
from benchd.words.handset import FASTBOOT_INTERFACE, HandsetIdentity, offers_adb
from benchd.words.port import Attached, Liveness
from benchd.words.slot import ProblemCode, ProblemView

PROBLEM_OF: Final[Mapping[Liveness, ProblemCode]] = {
    Liveness.SERVER_DOWN: ProblemCode.ADB_SERVER_DOWN,
    Liveness.ABSENT: ProblemCode.OFFLINE,
    Liveness.OFFLINE: ProblemCode.OFFLINE,
    Liveness.UNAUTHORIZED: ProblemCode.UNAUTHORIZED,
    Liveness.NO_PERMISSION: ProblemCode.NO_PERMISSION,
    Liveness.WRONG_MODE: ProblemCode.WRONG_MODE,
}


def problem_of_port(attached: Attached) -> ProblemCode | None:
    """What its interfaces tell; None where adb is among them."""
    if offers_adb(attached):
        return None
    wrong_mode = FASTBOOT_INTERFACE in attached.interfaces
    return ProblemCode.WRONG_MODE if wrong_mode else ProblemCode.ADB_DISABLED


def shown_trouble(
    code: ProblemCode,
    attached: Attached,
    models: ModelCatalogue,
    identity: HandsetIdentity | None = None,
) -> ProblemView:
    """The same for the wall, with this handset's own menus; before adb, with its maker's."""
    if code is not ProblemCode.ADB_DISABLED:
        return ProblemView(code=code)
    menu = models.menu_of(identity) if identity else models.menu_of_vendor(attached.vendor_id)
    return ProblemView(code=code, facts=debugging_words(menu))
