"""What a virtual handset's Android remembers, and what a reset makes of it."""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from benchd.lab.simulator.plan import Account, HandsetPlan, User

# What a binary in /data/local/tmp must be made for: the fill program runs on this very machine.
_ABI_OF_MACHINE: Final = {
    "x86_64": "x86_64",
    "aarch64": "arm64-v8a",
    "armv7l": "armeabi-v7a",
    "i686": "x86",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AndroidState:
    """Everything on a handset that a reset changes, apart from the files."""

    android_id: str
    boot_count: int
    accounts: tuple[Account, ...] = ()
    users: tuple[User, ...] = ()
    packages: tuple[str, ...] = ()
    calls: int = 0
    contacts: int = 0
    messages: int = 0
    screen_lock: bool = False
    device_owner: str | None = None
    test_harness: bool = False
    nfc_on: bool = True
    page: str | None = None
    """Which page of its settings is on its screen, by what Android calls it."""
    was_reset: bool = False
    """Whether it was reset since it came in."""
    stay_on: int = 0
    """`stay_on_while_plugged_in`: a bit for each kind of charger."""

    def restarted(self) -> AndroidState:
        """The same after a restart."""
        return replace(self, boot_count=self.boot_count + 1, page=None)


def as_it_came_in(plan: HandsetPlan) -> AndroidState:
    """What the previous owner has left, or a fresh state."""
    return AndroidState(
        android_id=_new_android_id(),
        boot_count=plan.boot_count,
        accounts=plan.accounts,
        users=plan.users,
        packages=plan.packages,
        calls=plan.calls,
        contacts=plan.contacts,
        messages=plan.messages,
        screen_lock=plan.screen_lock,
        device_owner=plan.device_owner,
        nfc_on=plan.nfc_on,
    )


def after_reset(*, test_harness: bool) -> AndroidState:
    """A fresh state; Test Harness Mode leaves its mark."""
    return AndroidState(
        android_id=_new_android_id(),
        boot_count=1,
        test_harness=test_harness,
        # TestHarnessModeService.configureSettings: any charger.
        stay_on=7 if test_harness else 0,
        was_reset=True,
    )


def properties(plan: HandsetPlan, state: AndroidState) -> Mapping[str, str]:
    """What `getprop` lists, in its order."""
    model = plan.model
    abi = plan.abi or _ABI_OF_MACHINE.get(os.uname().machine, "arm64-v8a")
    width = "64" if "64" in abi else "32"
    fingerprint = (
        f"{model.brand}/{model.product}/{model.device}:{model.android}/{model.build}"
        f"/{model.incremental}:user/release-keys"
    )
    found = {
        "gsm.sim.state": "LOADED" if plan.sim else "ABSENT",
        "persist.sys.timezone": "Asia/Tokyo",
        "persist.sys.usb.config": "adb",
        "ro.board.platform": "virtual",
        "ro.boot.flash.locked": "1" if plan.bootloader_locked else "0",
        "ro.boot.serialno": plan.serial,
        "ro.boot.vbmeta.device_state": "locked" if plan.bootloader_locked else "unlocked",
        "ro.boot.verifiedbootstate": plan.verified_boot_state,
        "ro.boot.veritymode": "enforcing",
        "ro.bootmode": "unknown",
        "ro.build.display.id": model.build,
        "ro.build.fingerprint": fingerprint,
        "ro.build.id": model.build,
        "ro.build.tags": "release-keys",
        "ro.build.type": "user",
        "ro.build.version.incremental": model.incremental,
        "ro.build.version.release": model.android,
        "ro.build.version.sdk": str(model.sdk),
        "ro.build.version.security_patch": model.security_patch,
        "ro.crypto.state": plan.crypto_state,
        "ro.debuggable": "0",
        "ro.frp.pst": "/dev/block/by-name/frp",
        "ro.oem_unlock_supported": "1",
        "ro.product.brand": model.brand,
        "ro.product.cpu.abi": abi,
        "ro.product.cpu.abilist": abi,
        "ro.product.cpu.abilist32": "",
        "ro.product.cpu.abilist64": "",
        f"ro.product.cpu.abilist{width}": abi,
        "ro.product.device": model.device,
        "ro.product.manufacturer": model.manufacturer,
        "ro.product.model": model.model,
        "ro.product.name": model.product,
        "ro.secure": "1",
        "ro.serialno": plan.serial,
        "sys.boot_completed": "1",
        "sys.usb.state": "mtp,adb",
    }
    if plan.crypto_state == "encrypted":
        found["ro.crypto.type"] = "file"
    if (
        plan.crypto_state == "encrypted" and model.sdk >= 30
    ):  # Metadata encryption: handsets launched with Android 11.
        found["ro.crypto.metadata.enabled"] = "true"
    if state.test_harness:
        found["persist.sys.test_harness"] = "1"
    return dict(sorted({**found, **dict(plan.properties)}.items()))


def _new_android_id() -> str:
    return secrets.token_hex(8)
