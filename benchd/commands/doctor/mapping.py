"""Whether each slot's reader hears the handset in that slot: what its last jobs have shown."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Final, cast

from benchd.commands.doctor.findings import About, Finding
from benchd.errors import BenchdError
from benchd.texts.doctor_words import Check, Cure, DoctorWord

if TYPE_CHECKING:
    from benchd.commands.client import BenchdClient, JsonObject
    from benchd.commands.doctor.daemon import Told

NEWEST_JOBS: Final = 200
OF_EACH_SLOT: Final = 5
"""How many of a slot's jobs are asked for: not every handset's NFC can be switched."""


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


def _objects(value: object) -> list[JsonObject]:
    """Those of a list of an answer."""
    many = cast("list[object]", value) if isinstance(value, list) else []
    return [cast("JsonObject", each) for each in many if isinstance(each, dict)]


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
