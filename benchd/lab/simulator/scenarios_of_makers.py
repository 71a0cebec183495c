"""Stories of what makers, and those who change their systems, put on handsets or have them say."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from benchd.domain.job import Disposition, Reason
from benchd.lab.simulator.handset_models import (
    AQUOS_WISH_3,
    GALAXY_A23_ON_14,
    REDMI_12,
    RENO_5_A,
    XPERIA_ACE_III_ON_14,
)
from benchd.lab.simulator.plan import Account, GivenAnswer, User
from benchd.lab.simulator.scenario import Scenario, failed, freshly_reset, in_use

_SECURE_FOLDER: Final = User(number=150, name="Secure Folder", flags=0x10061030, closed=True)
_PHONE: Final = Account(name="PHONE", type="com.android.localphone")
_CUSTOM_ROM: Final = (
    ("ro.build.display.id", "lineage_sky-userdebug 15 BP1A.250405.007 611 release-keys"),
    ("ro.build.flavor", "lineage_sky-userdebug"),
    ("ro.build.id", "BP1A.250405.007"),
    ("ro.build.version.incremental", "611"),
    ("ro.build.version.release", "15"),
    ("ro.build.version.sdk", "35"),
    ("ro.lineage.device", "sky"),
)
"""Says user, release-keys, green and locked all the same, and keeps its maker's fingerprint."""

_UNKNOWN_TRUST: Final = """\
Trust service, version 2
  user 0: name=Owner, keyguard=secure, state=unlocked
"""
"""Constructed: no handset is known that answers so."""

OF_MAKERS: Final = (
    Scenario(
        story="a second user that is closed to adb",
        plan=replace(
            freshly_reset("secure-folder", GALAXY_A23_ON_14, "R5CT63PQRST", "350448713300512"),
            users=(_SECURE_FOLDER,),
            boot_count=88,
        ),
        end=failed(Disposition.HOLD, Reason.OTHER_USER),
    ),
    Scenario(
        story=("calls itself green, locked and its maker's; its flavour and its fingerprint don't"),
        plan=replace(
            freshly_reset("custom-rom", REDMI_12, "8c1f0a7d2b31", "866012045678909"),
            properties=_CUSTOM_ROM,
        ),
        end=failed(Disposition.DESTROY, Reason.SYSTEM_MODIFIED),
    ),
    Scenario(
        story=(
            "its maker makes an account and an app, after each reset too: held until "
            "`benchd handset learn-fresh` has taken a picture from two such handsets, then "
            "sold"
        ),
        # It is there before and after every reset, as is the app, and nothing but a picture of how
        # this model looks when it is fresh can tell them from an owner's.
        plan=replace(
            freshly_reset(
                "preinstalled-account", XPERIA_ACE_III_ON_14, "HQ633K0F08", "353871116120533"
            ),
            maker_accounts=(_PHONE,),
            maker_packages=("com.nttdocomo.android.schedulememo",),
            # A real one's is three times as large, but there the fill program takes no room.
            swap_share=0.01,
            verified_boot_state="GREEN",
        ),
        end=failed(Disposition.HOLD, Reason.RESET_NOT_PROVEN),
    ),
    Scenario(
        story="has less than its model is sold with",
        plan=freshly_reset("counterfeit-capacity", RENO_5_A, "5f3a9c1e", "861234050123457"),
        end=failed(Disposition.HOLD, Reason.CAPACITY_BELOW_NOMINAL),
    ),
    Scenario(
        story=(
            "one of its answers is of a form that benchd doesn't know: its dossier is kept "
            "and named"
        ),
        plan=replace(
            in_use("unknown-answer", AQUOS_WISH_3, "358876243311444", "358876243311447"),
            accounts=(Account(name="suzuki.taro@example.jp"),),
            given={"trust": GivenAnswer(text=_UNKNOWN_TRUST)},
        ),
        end=failed(Disposition.HOLD, Reason.ANSWER_NOT_RECOGNISED),
    ),
)
