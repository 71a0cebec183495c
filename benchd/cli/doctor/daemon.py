"""What the running daemon says of itself; it is asked for what it shows anybody."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

from benchd.cli.doctor.findings import About, Finding
from benchd.cli.doctor.last_fault import Fault
from benchd.cli.doctor.machine import begins_again
from benchd.cli.doctor.resource_holders import is_stopped
from benchd.domain.errors import BenchdError, DependencyMissing
from benchd.domain.slot import ProblemCode
from benchd.texts.templates import Texts

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchd.cli.client import BenchdClient
    from benchd.domain.ids import JsonObject

ANSWERS_WITHIN_S: Final = 10.0
NEWEST_JOBS: Final = 200
OF_EACH_SLOT: Final = 5
"""How many of a slot's jobs are asked for: not every handset's NFC can be switched."""
_CREDENTIALS: Final = "243"
"""EXIT_CREDENTIALS of systemd.exec(5): of the unit's own there are the key and its secrets."""
_KEEPS_ALL: Final = frozenset({ProblemCode.ADB_SERVER_DOWN, ProblemCode.DISK_FULL})
_SAMPLE: Final = re.compile(r'^(benchd_\w+)(?:\{(?:slot|hook)="([^"]*)"\})? (\S+)$', re.MULTILINE)
_LOOKED_AT: Final = {
    "benchd_reader_up": "reader",
    "benchd_key_created_timestamp_seconds": "key_created",
    "benchd_hook_dead_letters": "dead_letters",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DaemonAnswer:
    """What a daemon tells."""

    broken: bool
    """Whether it has found a break in its ledger."""
    records: int
    key_created: float | None = None
    """Seconds since the epoch; None where its metrics are switched off."""
    readers: Mapping[str, bool] | None = field(default=None)
    """Which slots' readers answer; None as above."""
    hears: Mapping[str, str] | None = field(default=None)
    """The slot whose handset each slot's reader was last seen to hear; None where it isn't told."""
    notices: Mapping[str, tuple[Texts, Texts]] = field(
        default_factory=dict[str, tuple[Texts, Texts]]
    )
    """What stands above the tiles and what to do, by its code; but a break, which is told apart."""
    dead_letters: Mapping[str, int] | None = None
    """Events that no try has handed over, by hook; None as above."""


def daemon(
    path: Path,
    ask: Callable[[Path], DaemonAnswer],
    unit: Mapping[str, str] | None = None,
    masked: Sequence[str] = (),
    last_fault: Callable[[], Fault | None] = lambda: None,
) -> tuple[Finding, DaemonAnswer | None]:
    """Whether it answers; None where it doesn't, or this user may not ask.

    `unit` is what systemd knows of it, `masked` names what nobody can start, `last_fault` tells
    why it ended last.
    """
    about = About("check.daemon").having(path=path)
    try:
        return about.ok("doctor.daemon_answers"), ask(path)
    except DependencyMissing as missing:
        if isinstance(missing.__cause__, PermissionError):
            return about.not_to_be_seen(path, missing.__cause__), None
    except BenchdError:
        pass
    return _silent(about, unit or {}, masked, last_fault), None


def _silent(
    about: About,
    unit: Mapping[str, str],
    masked: Sequence[str],
    last_fault: Callable[[], Fault | None],
) -> Finding:
    """By what keeps it from answering."""
    if unit.get("LoadState") == "masked":
        # All at once: one that is started needs the others.
        return about.having(name=" ".join(masked)).fail("doctor.daemon_silent", "cure.unmask_unit")
    if unit.get("ActiveState") in ("active", "reloading", "deactivating"):
        pid = int(unit.get("MainPID", "0"))
        word = "doctor.daemon_stopped" if is_stopped(pid) else "doctor.daemon_hangs"
        return about.having(count=pid).fail(word, "cure.restart_benchd")
    if unit.get("ActiveState") == "activating" and not begins_again(unit):
        return about.not_checked("doctor.daemon_starts", "cure.wait_for_start")
    fault = last_fault()
    if fault is None:
        return about.fail("doctor.daemon_silent", "cure.start_benchd")
    return _ended(about, fault, fault.status or unit.get("ExecMainStatus", "?"))


def _ended(about: About, fault: Fault, status: str) -> Finding:
    """By its own word of what is to be done, where it came so far."""
    about = about.having(value=status)
    if fault.cure is None and status == _CREDENTIALS:
        return about.having(detail=fault.detail).fail("doctor.daemon_ended", "cure.see_key")
    if fault.cure is None:
        return about.having(detail=fault.detail).fail("doctor.daemon_ended", "cure.mend_unit_names")
    told = about.having(detail=fault.detail, name=fault.cure)
    return told.fail("doctor.daemon_ended", "cure.as_it_said")


def notices(told: DaemonAnswer | None) -> list[Finding]:
    """What the rack says of itself above its tiles."""
    about = About("check.notices")
    if told is None:
        return [about.not_checked("doctor.needs_daemon", "cure.start_benchd")]
    if not told.notices:
        return [about.ok("doctor.no_notices")]
    return [
        _notice(about.having(detail=said, name=what_to_do), code)
        for code, (said, what_to_do) in told.notices.items()
    ]


def _notice(about: About, code: str) -> Finding:
    if code == ProblemCode.NO_ADMINISTRATOR:
        return about.fail("doctor.no_administrator", "cure.make_administrator")
    if code in _KEEPS_ALL:
        return about.fail("doctor.notice", "cure.heed_notice")
    return about.warn("doctor.notice", "cure.heed_notice")


def ask_daemon(path: Path) -> DaemonAnswer:
    """Raises DependencyMissing where nobody answers."""
    from benchd.cli.client import BenchdClient

    with BenchdClient(path, timeout_s=ANSWERS_WITHIN_S) as client:
        notices = client.slots().get("notices")
        samples = _samples(client)
        sequence = client.upto()["sequence"]
        heard = hears(client)
    standing = {
        str(each.get("code")): (_texts(each), _texts(each.get("what_to_do")))
        for each in _objects(notices)
    }
    return DaemonAnswer(
        broken=standing.pop(ProblemCode.LEDGER_BROKEN, None) is not None,
        notices=standing,
        records=sequence if isinstance(sequence, int) else 0,
        key_created=None if samples is None else samples.get(("key_created", "")),
        # Before the first look at it nobody knows: such a one is left out.
        readers=None
        if samples is None
        else {slot: up > 0 for slot, up in _of(samples, "reader") if not math.isnan(up)},
        hears=heard,
        dead_letters=None
        if samples is None
        else {hook: int(count) for hook, count in _of(samples, "dead_letters")},
    )


def _samples(client: BenchdClient) -> dict[tuple[str, str], float] | None:
    """Of all metrics those that are looked at here; None where there are none."""
    try:
        text = client.fetched("/metrics").decode()
    except BenchdError:
        return None
    found = ((_LOOKED_AT.get(m[1]), m[2] or "", m[3]) for m in _SAMPLE.finditer(text))
    return {(name, label): float(value) for name, label, value in found if name}


def _of(samples: Mapping[tuple[str, str], float], name: str) -> Iterator[tuple[str, float]]:
    """The samples of one name, by their label."""
    return ((label, value) for (of, label), value in samples.items() if of == name)


def hears(client: BenchdClient) -> dict[str, str] | None:
    """The slot whose handset each slot's reader was last seen to hear; None where nobody tells."""
    heard: dict[str, str] = {}
    try:
        for job in reversed(list(_newest(client))):
            slot = str(job.get("slot"))
            for stage in _objects(job.get("stages")):
                if stage.get("tied") is True:
                    heard[slot] = slot
                elif isinstance(at := stage.get("heard_at"), str):
                    heard[at] = slot
    except BenchdError:
        return None
    return heard


def _newest(client: BenchdClient) -> Iterator[JsonObject]:
    """The newest jobs of each slot in full, the newest first."""
    asked: dict[str, int] = {}
    for summary in _objects(client.jobs(NEWEST_JOBS).get("jobs")):
        slot = str(summary.get("slot"))
        asked[slot] = asked.get(slot, 0) + 1
        if asked[slot] <= OF_EACH_SLOT:
            yield client.job(str(summary.get("job")))


def _texts(value: object) -> Texts:
    """Of an answer, in both languages."""
    told: JsonObject = cast("JsonObject", value) if isinstance(value, dict) else {}
    return Texts(ja=str(told.get("ja")), en=str(told.get("en")))


def _objects(value: object) -> list[JsonObject]:
    """Those of a list of an answer."""
    many = cast("list[object]", value) if isinstance(value, list) else []
    return [cast("JsonObject", each) for each in many if isinstance(each, dict)]
