"""The parts of a virtual handset that all of them share: /system and /etc, read-only."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from types import MappingProxyType
from typing import Final

from benchd.domain.errors import DependencyMissing
from benchd.lab.simulator.plan import Dd, HandsetPlan

_ANDROID_TOOLS: Final = (
    "am",
    "cmd",
    "content",
    "dumpsys",
    "getprop",
    "input",
    "pm",
    "reboot",
    "service",
    "settings",
    "sm",
    "svc",
    "which",
    "wm",
)
"""Programs that the rack answers for; each is the same script under another name."""

_STAND_INS: Final = (
    "awk basename cat chmod cksum cmp comm cp cut date dd df dirname du echo env expr fallocate"
    " false find flock fsync getconf grep head id kill ln ls md5sum mkdir mkfifo mktemp mount mv"
    " nice nohup nproc od paste pgrep pidof printenv printf ps pwd readlink realpath renice rm"
    " rmdir sed seq setsid sh sha1sum sha256sum sleep sort split stat stty sync tac tail tee test"
    " timeout touch tr true truncate tty uname uniq uptime wc whoami xargs xxd yes"
)
"""The machine's own programs in place of toybox's; `dd` is coreutils'."""

_USERS: Final = "root:x:0:0::/:/bin/sh\nshell:x:2000:2000:shell:/:/bin/sh\n"
_GROUPS: Final = "root:x:0:\nshell:x:2000:\n"
_SU: Final = "#!/bin/sh\nexec /bin/sh\n"
_DD_WITHOUT_FLAGS: Final = """\
#!/bin/sh
for word; do
    case $word in
        iflag=*) echo "dd: unknown option $word" >&2; exit 1 ;;
    esac
done
exec /system/bin/dd "$@"
"""
"""A `dd` as old as those that have no input flags."""
_DD_THAT_REMEMBERS: Final = """\
#!/bin/sh
for word; do
    shift
    [ "$word" = iflag=direct ] || set -- "$@" "$word"
done
exec /system/bin/dd "$@"
"""
"""One that takes the flag and is answered from memory, as by f2fs before fscrypt's direct reads."""
_CAT_THAT_COUNTS: Final = """\
#!/bin/sh
case $* in
    /proc/uptime) echo "214.07 803.51"; exit ;;
    /proc/*/io) exec /usr/bin/python3 -ISE /system/benchd/ask.py fetched ;;
esac
exec /system/bin/cat "$@"
"""
"""This machine's kernel counts what block devices give, and a virtual chip is none."""
_CAT_OF_ITS_OWN_START: Final = """\
#!/bin/sh
[ "$*" = /proc/uptime ] || exec /system/bin/cat "$@"
echo "214.07 803.51"
"""
"""A handset was started when somebody has plugged it in, and not when this machine was."""
_OBB: Final = "/storage/emulated/0/Android/obb"
_DF_OF_THE_LAST_MOUNT: Final = f"""\
#!/bin/sh
/system/bin/df "$@" | exec /system/bin/sed 's#% /data$#% {_OBB}#'
"""
"""toybox names the last mount of a device; vold mounts the apps' own folders after /data."""
_CAT_OF_ALL_MOUNTS: Final = f"""\
#!/bin/sh
[ "$*" = /proc/uptime ] && echo "214.07 803.51" && exit
[ "$*" = /proc/mounts ] || exec /system/bin/cat "$@"
exec /system/bin/sed -e p -e 's#^\\([^ ]*\\) /data #\\1 {_OBB} #' -e t -e d /proc/mounts
"""
_FIRST_WITH_FUSE: Final = 30
"""Handsets launched with Android 11 have their shared storage on FUSE."""
_DDS: Final[Mapping[Dd, Mapping[str, str]]] = MappingProxyType(
    {
        Dd.DIRECT: {},
        Dd.OLD: {"dd": _DD_WITHOUT_FLAGS},
        Dd.REMEMBERS: {"dd": _DD_THAT_REMEMBERS},
    }
)
_MOUNTS: Final[Mapping[bool, Mapping[str, str]]] = MappingProxyType(
    {
        False: {"cat": _CAT_OF_ITS_OWN_START},
        True: {"cat": _CAT_OF_ALL_MOUNTS, "df": _DF_OF_THE_LAST_MOUNT},
    }
)


def _makers(*, runs_programs: bool, dd: Dd, fuse: bool) -> str:
    """The folder with what the maker of such a handset has put before all other programs."""
    # Where programs run, nobody asks what was fetched.
    return f"product-{dd}-dd" + ("-fuse" if fuse else "") + ("" if runs_programs else "-counting")


_MAKERS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        **{
            _makers(runs_programs=True, dd=dd, fuse=fuse): {**tool, **mounts}
            for dd, tool in _DDS.items()
            for fuse, mounts in _MOUNTS.items()
        },
        **{
            _makers(runs_programs=False, dd=dd, fuse=False): {**tool, "cat": _CAT_THAT_COUNTS}
            for dd, tool in _DDS.items()
        },
    }
)


class SystemImage:
    """Where the shared files lie; made once per rack."""

    def __init__(self, directory: Path) -> None:
        self.system = directory / "system"
        self.etc = directory / "etc"
        self._without_superuser = directory / "xbin"
        self._with_superuser = directory / "xbin-rooted"
        self._directory = directory

    def extra_programs(self, *, superuser: bool) -> Path:
        """What stands at /system/xbin."""
        return self._with_superuser if superuser else self._without_superuser

    def makers_programs(self, plan: HandsetPlan) -> Path:
        """What stands at /product/bin, before all others on PATH."""
        fuse = plan.runs_programs and plan.model.sdk >= _FIRST_WITH_FUSE
        return self._directory / _makers(runs_programs=plan.runs_programs, dd=plan.dd, fuse=fuse)

    def make(self) -> None:
        """Write everything."""
        programs = self.system / "bin"
        own = self.system / "benchd"
        for folder in (
            programs,
            own,
            self.system / "xbin",
            self.system / "state",
            self.etc,
            self._without_superuser,
            self._with_superuser,
            *(self._directory / name for name in _MAKERS),
        ):
            folder.mkdir(parents=True)
        device = resources.files("benchd.lab.simulator") / "device"
        for name in ("supervisor.py", "ask.py"):
            (own / name).write_text((device / name).read_text())
        tool = own / "tool"
        tool.write_text((device / "tool.sh").read_text())
        tool.chmod(0o755)
        for name in _ANDROID_TOOLS:
            (programs / name).symlink_to("/system/benchd/tool")
        for name in _STAND_INS.split():
            found = shutil.which(name, path="/usr/bin:/bin:/usr/sbin:/sbin")
            if found is not None:
                (programs / name).symlink_to(Path(found).resolve())
        (self.etc / "passwd").write_text(_USERS)
        (self.etc / "group").write_text(_GROUPS)
        for folder, scripts in _MAKERS.items():
            for name, text in scripts.items():
                program = self._directory / folder / name
                program.write_text(text)
                program.chmod(0o755)
        su = self._with_superuser / "su"
        su.write_text(_SU)
        su.chmod(0o755)


def require_programs() -> None:
    """Raise DependencyMissing, with all that is missing, if a rack can't be made here."""
    needed = {
        "unshare": "util-linux",
        "nsenter": "util-linux",
        "setpriv": "util-linux",
        "bwrap": "bubblewrap",
        "adbd": "adbd",
    }
    missing = sorted(
        package
        for program, package in needed.items()
        if shutil.which(program, path="/usr/bin:/bin:/usr/sbin:/sbin") is None
    )
    if not Path("/usr/bin/python3").exists():
        missing.append("python3")
    if missing:
        raise DependencyMissing(
            "the virtual rack needs programs that aren't there",
            cure=f"install the packages: {' '.join(sorted(set(missing)))}",
        )
    fuse = Path("/dev/fuse")
    try:
        fuse.open("r+b", buffering=0).close()
    except FileNotFoundError as absent:
        raise DependencyMissing(
            "the virtual rack needs FUSE, and there is no /dev/fuse", cure="load the module fuse"
        ) from absent
    except OSError as refused:
        raise DependencyMissing(
            f"the virtual rack needs FUSE, and /dev/fuse can't be opened: {refused}",
            cure="as root: chmod 0666 /dev/fuse",
        ) from refused
