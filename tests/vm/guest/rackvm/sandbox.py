"""One handset's inside: uid 2000 in namespaces of its own, with the virtual rack's own tools."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from benchd.lab.simulator.lines.child import Child, Message, RackBroken
from benchd.lab.simulator.plan import HandsetModel
from benchd.lab.simulator.sandbox import ENVIRONMENT, SHELL_UID, banner
from benchd.lab.simulator.system_image import SystemImage

ADBD: Final = "/usr/lib/android-sdk/platform-tools/adbd"
ADBD_THREADS: Final = "/usr/local/lib/adbd-threads.so"
"""What lets adbd outlive its cable; tests/vm/image/adbd-threads.c."""
ADBD_WITH_KEYS: Final = "/usr/local/lib/adbd-with-keys"


class UsbSandbox:
    """Runs the supervisor, which runs adbd on the endpoints of one USB function."""

    def __init__(
        self,
        *,
        name: str,
        image: SystemImage,
        data: Path,
        state: Path,
        endpoints: Path,
        log: Path,
        superuser: bool,
        asks_for_key: bool,
        on_event: Callable[[Message], None],
    ) -> None:
        command = [
            *("bwrap", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-net"),
            *("--hostname", "localhost", "--die-with-parent", "--new-session", "--clearenv"),
            *("--ro-bind", "/usr", "/usr", "--symlink", "usr/bin", "/bin"),
            *("--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64"),
        ]
        if asks_for_key:
            command += ["--ro-bind", ADBD_WITH_KEYS, ADBD]
        command += [
            *("--ro-bind", str(image.etc), "/etc", "--proc", "/proc", "--dev", "/dev"),
            *("--perms", "0755", "--dir", "/dev/usb-ffs"),
            *("--bind", str(endpoints), "/dev/usb-ffs/adb"),
            *("--ro-bind", str(image.system), "/system"),
            *("--ro-bind", str(image.extra_programs(superuser=superuser)), "/system/xbin"),
            *("--ro-bind", str(state), "/system/state"),
            *("--bind", str(data), "/data", "--symlink", "/data/media/0", "/sdcard"),
            *("--remount-ro", "/", "--remount-ro", "/dev", "--chdir", "/"),
        ]
        for key, value in {**ENVIRONMENT, "LD_PRELOAD": ADBD_THREADS}.items():
            command += ["--setenv", key, value]
        command += [
            *("/usr/bin/setpriv", "--reuid", SHELL_UID, "--regid", SHELL_UID, "--clear-groups"),
            *("--no-new-privs", "--bounding-set", "-all", "--inh-caps", "-all"),
            *("/usr/bin/python3", "-ISE", "/system/benchd/supervisor.py"),
        ]
        self.child = Child(name=f"inside of {name}", argv=command, log=log, on_event=on_event)

    async def start_adbd(self, model: HandsetModel, *, state: str) -> None:
        """Become the USB function; `state` is `device` or `recovery`."""
        # The port is only listened on where there are no endpoints.
        await self.child.ask("start_adbd", port="5555", banner=banner(model, state=state))

    async def stop_adbd(self) -> None:
        """Debugging was switched off: shells get SIGHUP, everything else stays."""
        await self.child.ask("stop_adbd")

    async def end(self) -> None:
        """What a restart does: every process of the handset ends."""
        with suppress(RackBroken):
            await self.child.ask("end_everything")
        await self.child.kill()
