"""The machine under benchd: its clock, its units, its ports."""

from __future__ import annotations

import ipaddress
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from benchd.cli.doctor.findings import About, Finding
from benchd.signing.tls import expiry_of

UNITS: Final = ("benchd.service", "benchd-adb.socket", "pcscd.socket")
BOOTED_BY_SYSTEMD: Final = Path("/run/systemd/system")
"""sd_booted(3)."""
TCP_TABLES: Final = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
USB_DEVICES: Final = Path("/sys/bus/usb/devices")
"""The kernel's Documentation/driver-api/usb/power-management.rst: `power/control`."""
MOST_NAMED: Final = 8
RENEW_BEFORE: Final = timedelta(days=21)
_HUB: Final = "09"
_LISTEN: Final = "0A"
"""TCP_LISTEN of the kernel's include/net/tcp_states.h."""
_ASKED: Final = "Id,LoadState,ActiveState,SubState,Result,UnitFileState"
_SYSTEMCTL_WITHIN_S: Final = 10.0

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Show = Callable[[Sequence[str]], str | None]


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


def states(units: Sequence[str], show: Show) -> Mapping[str, Mapping[str, str]] | None:
    """The properties of each unit by its name; None where there is no systemd."""
    told = show(units)
    if told is None:
        return None
    paragraphs = [
        dict(line.split("=", 1) for line in part.splitlines() if "=" in line)
        for part in told.split("\n\n")
    ]
    return {each["Id"]: each for each in paragraphs if "Id" in each}


def units(found: Mapping[str, Mapping[str, str]] | None) -> list[Finding]:
    """Whether systemd looks after benchd and what it needs."""
    if found is None:
        return [About("check.units").not_checked("doctor.no_systemd")]
    return [_unit(name, found.get(name, {})) for name in UNITS]


def _unit(name: str, state: Mapping[str, str]) -> Finding:
    about = About("check.units").having(name=name)
    if state.get("LoadState", "not-found") == "not-found":
        return about.warn("doctor.unit_missing", "cure.install_again")
    active = state.get("ActiveState", "unknown")
    if active == "failed":
        failed = about.having(detail=state.get("Result", active))
        return failed.fail("doctor.unit_failed", "cure.look_at_unit")
    if active not in ("active", "reloading"):
        return about.having(value=active).warn("doctor.unit_inactive", "cure.start_unit")
    if state.get("UnitFileState") == "disabled":
        return about.warn("doctor.unit_not_enabled", "cure.enable_unit")
    return about.ok("doctor.unit_active")


def clock(is_synchronised: Callable[[], bool | None]) -> Finding:
    """Whether something keeps the wall clock right."""
    about = About("check.clock")
    match is_synchronised():
        case True:
            return about.ok("doctor.clock_kept")
        case False:
            return about.fail("doctor.clock_free", "cure.set_clock")
        case None:
            return about.not_checked("doctor.clock_unknown", "cure.as_root")


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


def port(number: int, *, with_tls: bool, tables: Sequence[Path] = TCP_TABLES) -> Finding:
    """From where a port is reached, by what really listens; `with_tls` lets others reach it."""
    about = About("check.ports").having(value=f":{number}")
    try:
        found = listening(number, tables)
    except OSError as error:
        return about.not_to_be_seen(tables[0], error)
    if not found:
        return about.not_checked("doctor.port_unused")
    beyond = [address for address in found if not address.is_loopback]
    shown = ", ".join(sorted(_shown(address, number) for address in beyond or found))
    about = about.having(value=shown)
    if not beyond:
        return about.ok("doctor.port_loopback")
    if with_tls:
        return about.ok("doctor.port_open_tls")
    return about.fail("doctor.port_open", "cure.listen_on_loopback")


def listening(number: int, tables: Sequence[Path] = TCP_TABLES) -> list[Address]:
    """The addresses at which somebody listens on this TCP port."""
    return [address for table in tables for address in _listening(table, number)]


def _shown(address: Address, number: int) -> str:
    return f"[{address}]:{number}" if address.version == 6 else f"{address}:{number}"


def _listening(table: Path, number: int) -> Iterator[Address]:
    """The addresses at which somebody listens on this port (proc_pid_net(5))."""
    if not table.exists():
        return
    for line in table.read_text("ascii").splitlines()[1:]:
        fields = line.split()
        address, _, port_hex = fields[1].partition(":")
        if fields[3] == _LISTEN and int(port_hex, 16) == number:
            yield _address(address)


def _address(text: str) -> Address:
    """The kernel writes 32-bit words in the machine's order, which here is the least first."""
    words = bytes.fromhex(text)
    data = b"".join(words[start : start + 4][::-1] for start in range(0, len(words), 4))
    found = ipaddress.ip_address(data)
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found
