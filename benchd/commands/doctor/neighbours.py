"""What benchd works with: adb, readers and their places, udev, Prometheus, the papers' fonts."""

from __future__ import annotations

import os
import re
import socket
import stat
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Final

from benchd.commands.doctor import machine
from benchd.commands.doctor.daemon import Told
from benchd.commands.doctor.findings import About, Finding
from benchd.commands.doctor.folders import Owner
from benchd.commands.misuse import why
from benchd.texts.doctor_words import Check, Cure, DoctorWord

RULES_FOLDERS: Final = tuple(
    Path(folder) / "udev/rules.d" for folder in ("/etc", "/run", "/usr/local/lib", "/usr/lib")
)
"""The first that has a file of a name counts (udev(7))."""
RULES: Final = "72-benchd.rules"
PROMETHEUS: Final = Path("/etc/prometheus/prometheus.yml")
"""Where Debian's package reads it."""
ADB_WITHIN_S: Final = 5.0
ADB_TCP_PORTS: Final = (5037, 15037)
"""Where adb listens by itself, and where benchd's own did before it had a Unix socket."""
_OTHERS_CONNECT: Final = 0o022
"""Who may write to a Unix socket may connect (unix(7))."""
_ADB_ASKS: Final = b"000chost:version"
"""A request is its length as four hex digits and its text (adb's OVERVIEW.TXT and SERVICES.TXT)."""
_TRUE_TYPE: Final = b"\x00\x01\x00\x00"
_ADB_UNIT: Final = "benchd-adb.service"


def adb_runs(
    *, external: bool, states: Mapping[str, Mapping[str, str]] | None, told: Told | None
) -> bool:
    """Whether asking starts nothing, as systemd's socket would where no server runs."""
    if not external:
        return told is not None
    state = (states or {}).get(_ADB_UNIT, {}).get("ActiveState")
    return state == "active" if state is not None else told is not None


def adb(path: Path, owner: Owner, *, runs: bool, ask: Callable[[Path], int]) -> Finding:
    """Who reaches the adb server, whether it answers, and as which version."""
    about = About(Check.ADB).having(path=path, name=owner.name)
    opened = _open_to_others(path, owner)
    if opened is not None:
        return about.having(value=opened).fail(DoctorWord.ADB_OPEN, Cure.CLOSE_ADB)
    if not runs:
        return about.not_checked(DoctorWord.ADB_IDLE, Cure.START_BENCHD)
    try:
        version = ask(path)
    except PermissionError as error:
        return about.not_to_be_seen(path, error)
    except (OSError, ValueError) as error:
        return about.having(detail=why(error)).fail(DoctorWord.ADB_SILENT, Cure.RESTART_ADB)
    return about.having(value=f"1.0.{version}").ok(DoctorWord.ADB_ANSWERS)


def _open_to_others(path: Path, owner: Owner) -> str | None:
    """By what others than the daemon's user and root may connect; None if they may not."""
    try:
        found = path.stat()
    except OSError:
        return None  # asking tells why
    if found.st_mode & _OTHERS_CONNECT:
        return f"{stat.S_IMODE(found.st_mode):04o}"
    return None if found.st_uid in (0, owner.uid) else f"uid {found.st_uid}"


def adb_over_tcp(tables: Sequence[Path] = machine.TCP_TABLES) -> Finding:
    """Whether an adb server listens where every user of the machine gets in."""
    about = About(Check.ADB)
    try:
        found = [port for port in ADB_TCP_PORTS if machine.listening(port, tables)]
    except OSError as error:
        return about.not_to_be_seen(tables[0], error)
    if found:
        ports = ", ".join(map(str, found))
        return about.having(value=ports).warn(DoctorWord.ADB_ON_TCP, Cure.END_ADB)
    return about.ok(DoctorWord.ADB_NOT_ON_TCP)


def ask_adb(path: Path) -> int:
    """The version of the server's protocol; OSError or ValueError where it doesn't tell."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(ADB_WITHIN_S)
        connection.connect(os.fspath(path))
        connection.sendall(_ADB_ASKS)
        answer = b""
        while len(answer) < 12 and (more := connection.recv(12 - len(answer))):
            answer += more
    if answer[:8] != b"OKAY0004":
        raise ValueError(f"it answers {answer[:12]!r}")
    return int(answer[8:], 16)


def udev_rules(*, external: bool, folders: Sequence[Path] = RULES_FOLDERS) -> Finding:
    """Whether the rule that gives handsets to the adb server alone is in effect."""
    about = About(Check.UDEV_RULES).having(name=RULES)
    found = next((each / RULES for each in folders if (each / RULES).exists()), None)
    if found is not None and found.resolve() != Path("/dev/null") and found.stat().st_size:
        return about.having(path=found).ok(DoctorWord.RULES_THERE)
    if external:
        return about.fail(DoctorWord.RULES_MISSING, Cure.INSTALL_AGAIN)
    return about.warn(DoctorWord.RULES_MISSING, Cure.INSTALL_AGAIN)


def readers(configured: Collection[str], told: Told | None) -> Finding:
    """Whether each slot's reader answers, which only the daemon knows: it holds them."""
    about = About(Check.READERS)
    if not configured:
        return about.ok(DoctorWord.NO_READERS)
    if told is None:
        return about.not_checked(DoctorWord.NEEDS_DAEMON, Cure.START_BENCHD)
    if told.readers is None:
        return about.not_checked(DoctorWord.READERS_UNTOLD)
    down = sorted(slot for slot in configured if not told.readers.get(slot, False))
    if down:
        names = about.having(value=", ".join(down))
        return names.fail(DoctorWord.READERS_DOWN, Cure.LOOK_AT_READERS)
    return about.having(count=len(configured)).ok(DoctorWord.READERS_UP)


def hooks(configured: int, told: Told | None) -> Finding:
    """Whether every event has reached its receiver, or still may."""
    about = About(Check.HOOKS)
    if not configured:
        return about.ok(DoctorWord.NO_HOOKS)
    if told is None:
        return about.not_checked(DoctorWord.NEEDS_DAEMON, Cure.START_BENCHD)
    if told.dead_letters is None:
        return about.not_checked(DoctorWord.HOOKS_UNTOLD)
    if told.dead_letters:
        given_up = about.having(count=told.dead_letters)
        return given_up.warn(DoctorWord.HOOKS_GAVE_UP, Cure.REPLAY_HOOKS)
    return about.having(count=configured).ok(DoctorWord.HOOKS_HEARD)


def prometheus(file: Path = PROMETHEUS) -> Finding:
    """Whether the Prometheus of this machine loads benchd's alerts."""
    about = About(Check.PROMETHEUS).having(path=file)
    try:
        text = file.read_text("utf-8", "replace")
        loaded = any(_is_benchds(rules) for rules in _rule_files(file.parent, text))
    except FileNotFoundError:
        return about.not_checked(DoctorWord.NO_PROMETHEUS)
    except OSError as error:
        return about.not_to_be_seen(file, error)
    if not loaded:
        return about.warn(DoctorWord.ALERTS_NOT_LOADED, Cure.LOAD_ALERTS)
    return about.ok(DoctorWord.ALERTS_LOADED)


def _rule_files(folder: Path, text: str) -> list[Path]:
    """The files that stand under `rule_files`; a name may have wild cards in its last part."""
    listed = re.search(
        r"^rule_files:[^\n]*\n((?:[ \t]*(?:-[^\n]*|#[^\n]*)?\n)*)", text + "\n", re.MULTILINE
    )
    names = re.findall(r"^\s*-\s*[\"']?([^\s\"'#]+)", listed[1] if listed else "", re.MULTILINE)
    places = [folder / name for name in names]
    return [file for place in places for file in place.parent.glob(place.name)]


def _is_benchds(rules: Path) -> bool:
    return "alert: Benchd" in rules.read_text("utf-8", "replace")


def fonts(folder: Path) -> Finding:
    """Whether the papers' own fonts are there; no other is used."""
    about = About(Check.FONTS).having(path=folder)
    found = sorted(folder.glob("*.ttf"))
    for file in found:
        try:
            with file.open("rb") as font:
                begins = font.read(len(_TRUE_TYPE))
        except OSError as error:
            return about.not_to_be_seen(file, error)
        if begins != _TRUE_TYPE:
            return about.having(path=file).fail(DoctorWord.FONTS_MISSING, Cure.INSTALL_AGAIN)
    if not found:
        return about.fail(DoctorWord.FONTS_MISSING, Cure.INSTALL_AGAIN)
    return about.ok(DoctorWord.FONTS_THERE)


def reader_places(configured: Collection[str], told: Told | None) -> Finding:
    """Whether the mapping of slots to readers was shown, or contradicted, by what came in."""
    about = About(Check.READER_PLACES)
    if not configured:
        return about.ok(DoctorWord.NO_READERS)
    if told is None:
        return about.not_checked(DoctorWord.NEEDS_DAEMON, Cure.START_BENCHD)
    heard: Mapping[str, str] = told.hears or {}
    wrong = [
        f"{slot} → {heard[slot]}" for slot in sorted(configured) if heard.get(slot, slot) != slot
    ]
    if wrong:
        return about.having(value=", ".join(wrong)).fail(
            DoctorWord.READERS_EXCHANGED, Cure.LEARN_READERS
        )
    unshown = sorted(slot for slot in configured if slot not in heard)
    if unshown:
        return about.having(value=", ".join(unshown)).not_checked(
            DoctorWord.READERS_UNSHOWN, Cure.TRY_READERS
        )
    return about.having(count=len(configured)).ok(DoctorWord.READERS_SHOWN)
