"""One virtual handset's sandbox: uid 2000, its own processes, and only /data to write to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from benchd.lab.simulator.addresses import adbd_port
from benchd.lab.simulator.lines.child import Child, Message
from benchd.lab.simulator.plan import HandsetModel, HandsetPlan
from benchd.lab.simulator.system_image import SystemImage

SHELL_UID: Final = "2000"

# Features stand in the banner because the host reads product, model and device only in its
# third field, and features nowhere else. Source: the list of adbd 34.0.5.
_FEATURES: Final = (
    "shell_v2,cmd,stat_v2,ls_v2,fixed_push_mkdir,apex,abb,fixed_push_symlink_timestamp,abb_exec,"
    "remount_shell,track_app,sendrecv_v2,sendrecv_v2_brotli,sendrecv_v2_lz4,sendrecv_v2_zstd,"
    "sendrecv_v2_dry_run_send"
)

_FIRST_WITH_FEATURES: Final = 24
"""Android 7: an older one's adb has no exit codes."""
ENVIRONMENT: Final = {
    "ANDROID_DATA": "/data",
    "ANDROID_ROOT": "/system",
    "EXTERNAL_STORAGE": "/sdcard",
    "HOME": "/",
    "LANG": "C.UTF-8",
    # None of the machine's own folders: a `su` of Linux would pass for one on the handset.
    "PATH": "/product/bin:/system_ext/bin:/system/bin:/system/xbin:/odm/bin:/vendor/bin",
    "SHELL": "/bin/sh",
    "TMPDIR": "/data/local/tmp",
    "USER": "shell",
}


def banner(model: HandsetModel, *, state: str = "device") -> str:
    """What adbd says of itself; `state` may be another one that adb knows, such as `recovery`."""
    told = (
        f"{state}::ro.product.name={model.product};ro.product.model={model.model};"
        f"ro.product.device={model.device};"
    )
    return told if model.sdk < _FIRST_WITH_FEATURES else f"{told}features={_FEATURES}"


class Sandbox:
    """Runs the supervisor, which runs adbd. Where it ends, the handset is broken."""

    def __init__(
        self,
        *,
        image: SystemImage,
        data: Path,
        state: Path,
        log: Path,
        plan: HandsetPlan,
        on_event: Callable[[Message], None],
    ) -> None:
        self.child = Child(
            name=f"sandbox of {plan.name}",
            argv=_command(image, data=data, state=state, plan=plan),
            log=log,
            on_event=on_event,
        )

    async def start_adbd(self, slot: int, model: HandsetModel) -> None:
        """A cable is there and debugging is on."""
        port = str(adbd_port(slot))
        await self.child.ask("start_adbd", port=port, banner=banner(model))

    async def stop_adbd(self) -> None:
        """The cable is out, or debugging off: shells get SIGHUP, everything else stays."""
        await self.child.ask("stop_adbd")

    async def freeze_adbd(self) -> None:
        """The handset says nothing more."""
        await self.child.ask("freeze_adbd")

    async def thaw_adbd(self) -> None:
        """It speaks again."""
        await self.child.ask("thaw_adbd")

    async def end_everything(self) -> None:
        """What a restart does to all processes."""
        await self.child.ask("end_everything")


def _command(image: SystemImage, *, data: Path, state: Path, plan: HandsetPlan) -> list[str]:
    makers = image.makers_programs(plan)
    command = [
        # The rack has its own process numbers, but /proc shows those of the machine, so that
        # programs brought into the rack find themselves in it. bubblewrap needs the rack's.
        *("unshare", "--mount", "--mount-proc", "bwrap"),
        *("--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts"),
        *("--uid", SHELL_UID, "--gid", SHELL_UID, "--hostname", "localhost"),
        *("--die-with-parent", "--new-session", "--clearenv"),
        *("--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin"),
        *("--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64"),
        *("--ro-bind", str(image.etc), "/etc", "--proc", "/proc", "--dev", "/dev"),
        *("--ro-bind", str(image.system), "/system"),
        *("--ro-bind", str(image.extra_programs(superuser=plan.superuser)), "/system/xbin"),
        *("--ro-bind", str(makers), "/product/bin"),
        *("--ro-bind", str(state), "/system/state"),
        *("--bind", str(data), "/data", "--symlink", "/data/media/0", "/sdcard"),
        *("--remount-ro", "/", "--remount-ro", "/dev", "--chdir", "/"),
    ]
    for name, value in ENVIRONMENT.items():
        command += ["--setenv", name, value]
    return [*command, "/usr/bin/python3", "-ISE", "/system/benchd/supervisor.py"]
