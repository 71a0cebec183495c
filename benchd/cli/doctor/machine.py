"""The machine under benchd: its clock, its units, its ports."""

from __future__ import annotations

import ipaddress
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from benchd.cli.doctor.findings import About, Finding
from benchd.cli.doctor.resource_holders import TCP_TABLES, Holder, listeners
from benchd.signing.tls import expiry_of

DAEMON: Final = "benchd.service"
UDEV: Final = "systemd-udevd.service"
UNITS: Final = (DAEMON, "benchd-adb.socket", "pcscd.socket", UDEV)
"""Those that have to run."""
WHEN_CALLED: Final = ("benchd-adb.service", "pcscd.service", "benchd-verify.timer")
"""Those that others start: they can't if it is masked."""
OWN_UNITS: Final = (DAEMON, "benchd-adb.socket", "benchd-adb.service")
TIME_DAEMONS: Final = (
    *("systemd-timesyncd.service", "chrony.service", "ntpsec.service", "openntpd.service"),
)
"""Those that Debian has."""
BOOTED_BY_SYSTEMD: Final = Path("/run/systemd/system")
"""sd_booted(3)."""
USB_DEVICES: Final = Path("/sys/bus/usb/devices")
"""The kernel's Documentation/driver-api/usb/power-management.rst: `power/control`."""
MOST_NAMED: Final = 8
RENEW_BEFORE: Final = timedelta(days=21)
_HUB: Final = "09"
_ASKED: Final = (
    "Id,LoadState,ActiveState,SubState,Result,UnitFileState,MainPID,ExecMainStatus,NRestarts,"
    "NeedDaemonReload"
)
_MISTAKE: Final = re.compile(r"^(/\S*benchd\S*:\d+: .*)$", re.MULTILINE)
"""A line of what systemd-analyze(1) says of unit files, with its place."""
_SYSTEMCTL_WITHIN_S: Final = 10.0

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Show = Callable[[Sequence[str]], str | None]
Verify = Callable[[str], str]
States = Mapping[str, Mapping[str, str]]
"""The properties of units, by their names."""


def systemctl_show(units: Sequence[str]) -> str | None:
    """What systemd tells of these units, a paragraph each; None where it doesn't run here."""
    if not BOOTED_BY_SYSTEMD.exists():
        return None
    asked = ["systemctl", "show", f"--property={_ASKED}", "--", *units]
    try:
        told = subprocess.run(
            asked, capture_output=True, check=True, text=True, timeout=_SYSTEMCTL_WITHIN_S
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return told.stdout


def systemd_verify(unit: str) -> str:
    """What systemd says of the mistakes in a unit's files and drop-ins, as they are now."""
    asked = ["systemd-analyze", "--man=no", "--recursive-errors=no", "verify", unit]
    try:
        told = subprocess.run(
            asked, capture_output=True, check=False, text=True, timeout=_SYSTEMCTL_WITHIN_S
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return told.stderr


def states(units: Sequence[str], show: Show) -> States | None:
    """The properties of each unit by its name; None where there is no systemd."""
    told = show(units)
    if told is None:
        return None
    paragraphs = [
        dict(line.split("=", 1) for line in part.splitlines() if "=" in line)
        for part in told.split("\n\n")
    ]
    return {each["Id"]: each for each in paragraphs if "Id" in each}


def units(found: States | None, verify: Verify = systemd_verify) -> list[Finding]:
    """Whether systemd looks after benchd and what it needs, and takes all that its files say."""
    if found is None:
        return [About("check.units").not_checked("doctor.no_systemd")]
    closed = masked(found)
    own = [name for name in OWN_UNITS if found.get(name, {}).get("LoadState") == "loaded"]
    return [
        *_masked(closed),
        *(_unit(name, found.get(name, {})) for name in UNITS if name not in closed),
        *(each for name in own for each in _files_of(name, found[name], verify(name))),
    ]


def _files_of(name: str, state: Mapping[str, str], said: str) -> Iterator[Finding]:
    """What is wrong with the files of a unit, drop-ins and all; systemd leaves out what is."""
    about = About("check.units").having(name=name)
    if state.get("NeedDaemonReload") == "yes":
        yield about.warn("doctor.unit_changed", "cure.reload_unit")
    for mistake in _MISTAKE.findall(said):
        yield about.having(detail=mistake).warn("doctor.unit_mistake", "cure.mend_unit")


def begins_again(state: Mapping[str, str]) -> bool:
    """Whether systemd begins it again and again: its last start is over, or one more begins."""
    return state.get("SubState") == "auto-restart" or state.get("NRestarts", "0") != "0"


def is_masked(found: States | None, name: str) -> bool:
    """Whether nobody can start it, however often it is asked for."""
    return (found or {}).get(name, {}).get("LoadState") == "masked"


def masked(found: States | None) -> list[str]:
    """What nobody can start, of all that has to run or is started by others."""
    return [name for name in sorted((*UNITS, *WHEN_CALLED)) if is_masked(found, name)]


def _masked(names: Sequence[str]) -> Iterator[Finding]:
    """First of all, and all in one: a socket isn't started while its service is masked."""
    if names:
        about = About("check.units").having(name=" ".join(names))
        yield about.fail("doctor.unit_masked", "cure.unmask_unit")


def _unit(name: str, state: Mapping[str, str]) -> Finding:
    about = About("check.units").having(name=name)
    if name == UDEV and state.get("ActiveState") != "active":
        there = state.get("LoadState") == "loaded"
        return about.fail("doctor.udev_dead", "cure.start_unit" if there else "cure.install_udev")
    if state.get("LoadState", "not-found") == "not-found":
        own = name.startswith("benchd")
        cure = "cure.put_unit_back" if own else "cure.install_pcscd"
        return about.warn("doctor.unit_missing", cure)
    return _loaded_unit(about, state)


def _loaded_unit(about: About, state: Mapping[str, str]) -> Finding:
    active = state.get("ActiveState", "unknown")
    result, status = state.get("Result", active), state.get("ExecMainStatus", "0")
    ended = about.having(detail=f"{result}, status {status}" if status != "0" else result)
    if active == "failed":
        return ended.fail("doctor.unit_failed", "cure.look_at_unit")
    if active == "activating" and begins_again(state):
        if result == "success":
            ended = about.having(detail=f"NRestarts={state.get('NRestarts')}")
        return ended.fail("doctor.unit_restarts", "cure.look_at_unit")
    if active not in ("active", "reloading"):
        return about.having(value=active).warn("doctor.unit_inactive", "cure.start_unit")
    if state.get("UnitFileState") == "disabled":
        return about.warn("doctor.unit_not_enabled", "cure.enable_unit")
    return about.ok("doctor.unit_active")


def clock(is_synchronised: Callable[[], bool | None], found: States | None = None) -> Finding:
    """Whether something keeps the wall clock right, else what would."""
    about = About("check.clock")
    match is_synchronised():
        case True:
            return about.ok("doctor.clock_kept")
        case False:
            return _clock_free(about, found or {})
        case None:
            return about.not_checked("doctor.clock_unknown", "cure.as_root")


def _clock_free(about: About, found: States) -> Finding:
    there = [name for name in TIME_DAEMONS if found.get(name, {}).get("LoadState") == "loaded"]
    masked = [name for name in TIME_DAEMONS if is_masked(found, name)]
    running = [name for name in there if found[name].get("ActiveState") == "active"]
    if running:
        cure = "cure.reach_time_server"
        return about.having(name=running[0]).fail("doctor.clock_not_yet", cure)
    if there:
        return about.having(name=there[0]).fail("doctor.clock_free", "cure.start_time_daemon")
    if masked:
        return about.having(name=masked[0]).fail("doctor.clock_free", "cure.unmask_unit")
    return about.fail("doctor.clock_free", "cure.install_time_daemon")


def autosuspend(devices: Path = USB_DEVICES) -> Finding:
    """Whether the kernel may put a handset or reader to sleep, which looks like a bad cable."""
    about = About("check.autosuspend")
    if not devices.is_dir():
        return about.not_checked("doctor.no_usb")
    try:
        sleepy = sorted(each.name for each in devices.iterdir() if _may_sleep(each))
    except OSError as error:
        return about.not_to_be_seen(devices, error)
    if sleepy:
        named = about.having(value=", ".join(sleepy[:MOST_NAMED]), count=len(sleepy))
        return named.warn("doctor.usb_sleeps", "cure.keep_usb_awake")
    return about.ok("doctor.usb_awake")


def _may_sleep(device: Path) -> bool:
    """Of a device that is no hub, and no interface of one; gone meanwhile, it sleeps nowhere."""
    try:
        if (device / "bDeviceClass").read_text("ascii").strip() == _HUB:
            return False
        return (device / "power" / "control").read_text("ascii").strip() == "auto"
    except (FileNotFoundError, NotADirectoryError):
        return False


def page_certificate(file: Path | None, now: datetime) -> Finding:
    """For how long browsers still take the pages' certificate."""
    about = About("check.page_certificate")
    if file is None:
        return about.ok("doctor.no_page_certificate")
    about = about.having(path=file)
    try:
        ends = expiry_of(file)
    except OSError as error:
        return about.not_to_be_seen(file, error)
    except ValueError as error:
        about = about.having(detail=error)
        return about.not_checked("doctor.not_to_be_seen", "cure.renew_certificate")
    about = about.having(value=f"{ends:%Y-%m-%d}")
    if ends <= now:
        return about.fail("doctor.page_certificate_ends", "cure.renew_certificate")
    if ends - now < RENEW_BEFORE:
        return about.warn("doctor.page_certificate_ends", "cure.renew_certificate")
    return about.ok("doctor.page_certificate_ends")


def port(
    number: int,
    *,
    with_tls: bool,
    tables: Sequence[Path] = TCP_TABLES,
    taken_by: Callable[[], Holder | None] = lambda: None,
) -> Finding:
    """From where a port is reached, by what really listens; `with_tls` lets others reach it.

    `taken_by` tells who has it in the daemon's place.
    """
    about = About("check.ports").having(value=f":{number}")
    try:
        found = listening(number, tables)
        holder = taken_by() if found else None
    except OSError as error:
        return about.not_to_be_seen(tables[0], error)
    if not found:
        return about.not_checked("doctor.port_unused")
    if holder is not None:
        held = about.having(name=holder.name, count=holder.pid, detail=holder.ended_by)
        return held.fail("doctor.port_taken", "cure.end_holder")
    beyond = [address for address in found if not address.is_loopback]
    shown = ", ".join(sorted(_shown(address, number) for address in beyond or found))
    about = about.having(value=shown)
    if not beyond:
        return about.ok("doctor.port_loopback")
    if with_tls:
        return about.ok("doctor.port_open_tls")
    return about.fail("doctor.port_open", "cure.listen_on_loopback")


def listening(number: int, tables: Sequence[Path] = TCP_TABLES) -> list[Address]:
    """The addresses at which somebody listens on this TCP port (proc_pid_net(5))."""
    return [_address(row[1].partition(":")[0]) for row in listeners(number, tables)]


def _shown(address: Address, number: int) -> str:
    return f"[{address}]:{number}" if address.version == 6 else f"{address}:{number}"


def _address(text: str) -> Address:
    """The kernel writes 32-bit words in the machine's order, which here is the least first."""
    words = bytes.fromhex(text)
    data = b"".join(words[start : start + 4][::-1] for start in range(0, len(words), 4))
    found = ipaddress.ip_address(data)
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found
