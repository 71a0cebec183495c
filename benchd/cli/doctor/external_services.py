"""What benchd works with: adb, readers and their places, udev, Prometheus, the papers' fonts."""

from __future__ import annotations

import os
import re
import socket
import stat
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Final

from benchd.cli.doctor import machine
from benchd.cli.doctor.daemon import DaemonAnswer
from benchd.cli.doctor.findings import About, Finding
from benchd.cli.doctor.folders import Owner
from benchd.cli.doctor.resource_holders import TCP_TABLES, listener_of
from benchd.cli.misuse import why

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
    *, external: bool, states: Mapping[str, Mapping[str, str]] | None, told: DaemonAnswer | None
) -> bool:
    """Whether asking starts nothing, as systemd's socket would where no server runs."""
    if not external:
        return told is not None
    state = (states or {}).get(_ADB_UNIT, {}).get("ActiveState")
    return state == "active" if state is not None else told is not None


def adb(path: Path, owner: Owner, *, runs: bool, ask: Callable[[Path], int]) -> Finding:
    """Who reaches the adb server, whether it answers, and as which version."""
    about = About("check.adb").having(path=path, name=owner.name)
    opened = _open_to_others(path, owner)
    if opened is not None:
        return about.having(value=opened).fail("doctor.adb_open", "cure.close_adb")
    if not runs:
        return about.not_checked("doctor.adb_idle", "cure.start_benchd")
    try:
        version = ask(path)
    except PermissionError as error:
        return about.not_to_be_seen(path, error)
    except (OSError, ValueError) as error:
        return about.having(detail=why(error)).fail("doctor.adb_silent", "cure.restart_adb")
    return about.having(value=f"1.0.{version}").ok("doctor.adb_answers")


def _open_to_others(path: Path, owner: Owner) -> str | None:
    """By what others than the daemon's user and root may connect; None if they may not."""
    try:
        found = path.stat()
    except OSError:
        return None  # asking tells why
    if found.st_mode & _OTHERS_CONNECT:
        return f"{stat.S_IMODE(found.st_mode):04o}"
    return None if found.st_uid in (0, owner.uid) else f"uid {found.st_uid}"


def adb_over_tcp(tables: Sequence[Path] = TCP_TABLES) -> Finding:
    """Whether an adb server listens where every user of the machine gets in."""
    about = About("check.adb")
    try:
        found = [port for port in ADB_TCP_PORTS if machine.listening(port, tables)]
    except OSError as error:
        return about.not_to_be_seen(tables[0], error)
    if found:
        holder = listener_of(found[0], tables)
        how = holder.ended_by if holder else f"ss -ltnp 'sport = :{found[0]}'"
        told = about.having(value=", ".join(map(str, found)), detail=how)
        return told.warn("doctor.adb_on_tcp", "cure.end_adb")
    return about.ok("doctor.adb_not_on_tcp")


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
    about = About("check.udev_rules").having(name=RULES)
    found = next((each / RULES for each in folders if (each / RULES).exists()), None)
    if found is not None and found.resolve() != Path("/dev/null") and found.stat().st_size:
        return about.having(path=found).ok("doctor.rules_there")
    if external:
        return about.fail("doctor.rules_missing", "cure.put_rules_back")
    return about.warn("doctor.rules_missing", "cure.put_rules_back")


def readers(configured: Collection[str], told: DaemonAnswer | None) -> Finding:
    """Whether each slot's reader answers, which only the daemon knows: it holds them."""
    about = About("check.readers")
    if not configured:
        return about.ok("doctor.no_readers")
    if told is None:
        return about.not_checked("doctor.needs_daemon", "cure.start_benchd")
    if told.readers is None:
        return about.not_checked("doctor.readers_untold")
    down = sorted(slot for slot in configured if told.readers.get(slot) is False)
    if down:
        names = about.having(value=", ".join(down))
        return names.fail("doctor.readers_down", "cure.look_at_readers")
    unseen = sorted(set(configured).difference(told.readers))
    if unseen:
        return about.having(value=", ".join(unseen)).not_checked("doctor.readers_unseen")
    return about.having(count=len(configured)).ok("doctor.readers_up")


def hooks(configured: int, told: DaemonAnswer | None) -> Finding:
    """Whether every event has reached its receiver, or still may."""
    about = About("check.hooks")
    if not configured:
        return about.ok("doctor.no_hooks")
    if told is None:
        return about.not_checked("doctor.needs_daemon", "cure.start_benchd")
    if told.dead_letters is None:
        return about.not_checked("doctor.hooks_untold")
    gave_up = {hook: count for hook, count in told.dead_letters.items() if count}
    if gave_up:
        replays = "; ".join(f"benchd hooks replay {hook}" for hook in sorted(gave_up))
        given_up = about.having(count=sum(gave_up.values()), detail=replays)
        return given_up.warn("doctor.hooks_gave_up", "cure.replay_hooks")
    return about.having(count=configured).ok("doctor.hooks_heard")


def prometheus(file: Path = PROMETHEUS) -> Finding:
    """Whether the Prometheus of this machine loads benchd's alerts."""
    about = About("check.prometheus").having(path=file)
    try:
        text = file.read_text("utf-8", "replace")
        loaded = any(_is_benchds(rules) for rules in _rule_files(file.parent, text))
    except FileNotFoundError:
        return about.not_checked("doctor.no_prometheus")
    except OSError as error:
        return about.not_to_be_seen(file, error)
    if not loaded:
        return about.warn("doctor.alerts_not_loaded", "cure.load_alerts")
    return about.ok("doctor.alerts_loaded")


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
    about = About("check.fonts").having(path=folder)
    found = sorted(folder.glob("*.ttf"))
    for file in found:
        try:
            with file.open("rb") as font:
                begins = font.read(len(_TRUE_TYPE))
        except OSError as error:
            return about.not_to_be_seen(file, error)
        if begins != _TRUE_TYPE:
            return about.having(path=file).fail("doctor.fonts_missing", "cure.install_again")
    if not found:
        return about.fail("doctor.fonts_missing", "cure.install_again")
    return about.ok("doctor.fonts_there")


def reader_places(configured: Collection[str], told: DaemonAnswer | None) -> Finding:
    """Whether the mapping of slots to readers was shown, or contradicted, by what came in."""
    about = About("check.reader_places")
    if not configured:
        return about.ok("doctor.no_readers")
    if told is None:
        return about.not_checked("doctor.needs_daemon", "cure.start_benchd")
    heard: Mapping[str, str] = told.hears or {}
    wrong = [
        f"{slot} → {heard[slot]}" for slot in sorted(configured) if heard.get(slot, slot) != slot
    ]
    if wrong:
        return about.having(value=", ".join(wrong)).fail(
            "doctor.readers_exchanged", "cure.learn_readers"
        )
    unshown = sorted(slot for slot in configured if slot not in heard)
    if unshown:
        return about.having(value=", ".join(unshown)).not_checked(
            "doctor.readers_unshown", "cure.try_readers"
        )
    return about.having(count=len(configured)).ok("doctor.readers_shown")
