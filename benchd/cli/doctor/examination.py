"""All checks, in the order in which an administrator would look."""

from __future__ import annotations

import os
import pwd
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchd.cli.client import SOCKET
from benchd.cli.doctor import external_services, folders, ledger_checks, machine
from benchd.cli.doctor.daemon import DaemonAnswer, ask_daemon, daemon, notices
from benchd.cli.doctor.findings import About, Finding
from benchd.cli.doctor.folders import Owner
from benchd.cli.doctor.last_fault import Fault, last_fault
from benchd.cli.doctor.resource_holders import Holder, listener_of
from benchd.cli.doctor.rights import Closed, changed_by, closed_to, readable
from benchd.cli.doctor.upkeep_checks import upkeep
from benchd.config import Settings, load_settings
from benchd.daemon.config_check import checked_settings
from benchd.daemon.kernel_clock import is_synchronised
from benchd.domain.errors import ConfigInvalid
from benchd.papers.typesetting import FONTS

SERVICE_USER: Final = "benchd"
_NEED_SETTINGS: Final = (
    "check.rights",
    "check.state_folder",
    "check.certificate_folder",
    "check.space",
    "check.flush",
    "check.ledger",
    "check.unsigned",
    "check.backup",
    "check.key",
    "check.key_age",
    "check.adb",
    "check.udev_rules",
    "check.readers",
    "check.reader_places",
    "check.ports",
    "check.hooks",
    "check.page_certificate",
)


def service_user() -> Owner:
    """Whose the folders are: of the unit's user, where there is one, else of whoever asks."""
    try:
        found = pwd.getpwnam(SERVICE_USER)
    except KeyError:
        return Owner(name=str(os.geteuid()), uid=os.geteuid())
    return Owner(name=SERVICE_USER, uid=found.pw_uid)


@dataclass(frozen=True, slots=True, kw_only=True)
class Instruments:
    """What is looked with; tests bring their own."""

    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)
    show: machine.Show = machine.systemctl_show
    ask_daemon: Callable[[Path], DaemonAnswer] = ask_daemon
    ask_adb: Callable[[Path], int] = external_services.ask_adb
    is_synchronised: Callable[[], bool | None] = is_synchronised
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    owner: Callable[[], Owner] = service_user
    prometheus: Path = external_services.PROMETHEUS
    usb_devices: Path = machine.USB_DEVICES
    last_fault: Callable[[], Fault | None] = last_fault
    closed: Closed = closed_to
    verify: machine.Verify = machine.systemd_verify


def examine(config: Path, socket: Path | None, instruments: Instruments) -> list[Finding]:
    """Everything, each finding in its place; `socket` is the daemon's, else the configured one."""
    settled, settings = configuration(config, instruments.owner())
    asked = (*machine.UNITS, *machine.WHEN_CALLED, *machine.TIME_DAEMONS)
    states = machine.states(asked, instruments.show)
    place = socket or (settings.http.socket if settings else SOCKET)
    unit = (states or {}).get(machine.DAEMON)
    masked = machine.masked(states)
    answered, told = daemon(place, instruments.ask_daemon, unit, masked, instruments.last_fault)
    found = [settled, answered, *notices(told)]
    found += machine.units(states, instruments.verify)
    if settings is None:
        found += [About(each).not_checked("doctor.needs_configuration") for each in _NEED_SETTINGS]
    else:
        found += _kept(config, settings, told, instruments)
        found += _worked_with(settings, told, states, instruments)
    found.append(machine.clock(instruments.is_synchronised, states))
    found.append(machine.autosuspend(instruments.usb_devices))
    found.append(external_services.prometheus(instruments.prometheus))
    found.append(external_services.fonts(FONTS))
    return found


def configuration(file: Path, owner: Owner) -> tuple[Finding, Settings | None]:
    """The finding, and the settings for all other checks; None where there are none."""
    about = About("check.configuration").having(path=file)
    try:
        others = changed_by(file, owner)
        with file.open("rb"):
            pass
    except FileNotFoundError:
        return about.fail("doctor.config_missing", "cure.name_the_file"), None
    except OSError as error:
        return about.not_to_be_seen(file, error), None
    if others is not None:
        told = about.having(value=others)
        return told.fail("doctor.not_own", "cure.give_to_root"), _usable(file)
    return _settled(about, file)


def _settled(about: About, file: Path) -> tuple[Finding, Settings | None]:
    """By what stands in it."""
    try:
        settings = checked_settings(file)
    except ConfigInvalid as invalid:
        first = invalid.issues[0]
        found = about.having(count=len(invalid.issues), detail=first)
        return found.fail("doctor.config_mistakes", "cure.check_config"), _usable(file)
    if settings.retired:
        first = settings.retired[0]
        told = about.having(detail=f"{first.file}:{first.line}: {first.key} {first.message}")
        return told.warn("doctor.config_retired", "cure.delete_key"), settings
    valid = about.having(count=len(settings.topology.places))
    return valid.ok("doctor.config_valid"), settings


def _usable(file: Path) -> Settings | None:
    """What a running rack would still go on with."""
    try:
        return load_settings(file)
    except ConfigInvalid:
        return None


def _kept(
    config: Path, settings: Settings, told: DaemonAnswer | None, instruments: Instruments
) -> list[Finding]:
    """What benchd keeps, and in what."""
    owner = instruments.owner()
    state, key = settings.ledger.path.parent, settings.certificate.key
    return [
        readable(config, settings, owner, instruments.closed),
        folders.folder("check.state_folder", state, owner, files=f"{settings.ledger.path.stem}*"),
        folders.folder(
            "check.certificate_folder", settings.certificate.directory, owner, files="*.json"
        ),
        folders.space(state),
        folders.space(settings.certificate.directory),
        folders.flush(state),
        ledger_checks.ledger(settings.ledger.path, key, settings.certificate.directory, told),
        ledger_checks.unsigned(settings.ledger.path, key, told),
        *upkeep(settings.ledger.path, instruments.show, instruments.now()),
        ledger_checks.key_usable(key, instruments.environ, owner),
        ledger_checks.key_age(key, told, instruments.now()),
    ]


def _stranger(port: int, states: machine.States | None) -> Holder | None:
    """Who has the port of a daemon that doesn't answer, unless it has it itself, and hangs."""
    found = listener_of(port)
    own = (states or {}).get(machine.DAEMON, {}).get("MainPID", "0")
    return None if found is None or str(found.pid) == own else found


def _worked_with(
    settings: Settings,
    told: DaemonAnswer | None,
    states: machine.States | None,
    instruments: Instruments,
) -> list[Finding]:
    """What benchd works with, and who reaches it."""
    external = settings.adb.server == "external"
    runs = external_services.adb_runs(external=external, states=states, told=told)
    beyond = settings.http.tls_certificate is not None and not settings.http.listen.is_loopback
    return [
        external_services.adb(
            settings.adb.server_socket, instruments.owner(), runs=runs, ask=instruments.ask_adb
        ),
        external_services.adb_over_tcp(),
        external_services.udev_rules(external=external),
        external_services.readers(settings.felica.readers, told),
        external_services.reader_places(settings.felica.readers, told),
        machine.port(
            settings.http.listen.port,
            with_tls=beyond,
            taken_by=lambda: None if told else _stranger(settings.http.listen.port, states),
        ),
        machine.page_certificate(settings.http.tls_certificate, instruments.now()),
        external_services.hooks(len(settings.hooks), told),
    ]
