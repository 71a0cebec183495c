"""`benchd felica`: looks at chips with the readers of the configuration, without the daemon."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import anyio
from rich.console import Group, RenderableType
from rich.text import Text

from benchd.certificate import load_rack_key
from benchd.cli.messages import both, error_of, missing
from benchd.cli.tables.table_cells import Cells, nothing, part, parts, plain_table, text
from benchd.config import Settings, load_settings
from benchd.daemon.composition import chip_access
from benchd.daemon.rack_fleet import fleet_chip_secret
from benchd.devices.felica.chip_access import PcscChipAccess
from benchd.devices.felica.verdict.capture import signed_capture
from benchd.devices.felica.verdict.nodes import shipped_catalogue
from benchd.devices.felica.worker.wire import CaptureOrder
from benchd.domain.chip import ChipScan, ChipVerdict
from benchd.domain.errors import (
    BenchdError,
    DependencyMissing,
    NotFound,
    ReaderFault,
    ReaderGone,
    ReaderStuck,
)
from benchd.domain.evidence_json import to_json
from benchd.domain.ids import JsonObject, JsonValue, SlotName
from benchd.domain.plain_text import Language, printable
from benchd.proof.evidence.chip_evidence import ChipEvidence
from benchd.texts.catalogue import Catalogue

READERS_WITHIN_S: Final = 10.0
PASSES: Final = 2
LONGEST_SERVICES: Final = 200
LONGEST_DETAIL: Final = 120

Found = ChipScan | ReaderGone | ReaderFault


def scan_chips(config: Path, slot: str | None) -> dict[str, JsonValue]:
    """What the reader of every slot, or of one, sees, as JSON; never whose it is.

    Raises ConfigInvalid, NotFound for a slot that has no reader, and DependencyMissing where
    no slot has one.
    """
    settings = load_settings(config)
    found = anyio.run(_scan_all, settings, _slots(settings, slot))
    catalogue = Catalogue.load()
    return {"slots": [_told(name, seen, catalogue) for name, seen in found.items()]}


def exit_code(told: dict[str, JsonValue]) -> int:
    """0 where nothing was found in any chip, 3 where a reader failed, else 1."""
    slots = told["slots"]
    verdicts = [
        slot["verdict"] if isinstance(slot, dict) else None
        for slot in (slots if isinstance(slots, list) else [])
    ]
    if None in verdicts:
        return DependencyMissing.exit_code
    return 0 if verdicts and set(verdicts) == {ChipVerdict.UNUSED} else 1


def capture_chip(config: Path, slot: str, order: CaptureOrder) -> str:
    """A baseline of the chip on this slot's reader, signed by this rack, which has seen it.

    Raises UsageRefused where the chip carries none.
    """
    settings = load_settings(config)
    (name,) = _slots(settings, slot)
    text = anyio.run(_capture, settings, name, order)
    key = load_rack_key(settings.certificate.key, os.environ)
    return signed_capture(text, sign=key.sign, catalogue=shipped_catalogue())


def _slots(settings: Settings, slot: str | None) -> Sequence[SlotName]:
    readers = settings.felica.readers
    if slot is not None and slot not in readers:
        raise error_of(NotFound, "say.slot_has_no_reader", slot=slot)
    if not readers:
        raise missing(both("say.no_reader"), both("say.name_a_reader"))
    return [SlotName(slot)] if slot is not None else list(readers)


async def _scan_all(settings: Settings, slots: Sequence[SlotName]) -> dict[SlotName, Found]:
    found: dict[SlotName, Found] = {}

    async def look(chips: PcscChipAccess, slot: SlotName) -> None:
        try:
            await _until_there(chips, slot)
            found[slot] = await chips.scan(slot, passes=PASSES, power_cycle=True)
        except (ReaderGone, ReaderFault) as failure:
            found[slot] = failure

    async with _open_chips(settings) as chips, anyio.create_task_group() as looks:
        for slot in slots:
            looks.start_soon(look, chips, slot)
    return {slot: found[slot] for slot in slots}


async def _capture(settings: Settings, slot: SlotName, order: CaptureOrder) -> str:
    async with _open_chips(settings) as chips:
        await _until_there(chips, slot)
        return await chips.capture(slot, order)


@asynccontextmanager
async def _open_chips(settings: Settings) -> AsyncGenerator[PcscChipAccess, None]:
    key = load_rack_key(settings.certificate.key, os.environ)
    chips = chip_access(settings, key, fleet_chip_secret(settings))
    if not isinstance(chips, PcscChipAccess):
        raise missing(both("say.no_reader"), both("say.name_a_reader"))
    failure: BenchdError | None = None
    async with anyio.create_task_group() as tasks:
        await tasks.start(chips.run)
        try:
            yield chips
        except BenchdError as raised:
            # Told as it is, not inside the group's.
            failure = raised
        tasks.cancel_scope.cancel()
    if failure is not None:
        raise failure


async def _until_there(chips: PcscChipAccess, slot: SlotName) -> None:
    with anyio.move_on_after(READERS_WITHIN_S) as patience:
        await chips.until_there(slot)
    if patience.cancelled_caught:
        raise ReaderGone(chips.trouble(slot) or "the reader has come and gone")


def _told(slot: SlotName, found: Found, catalogue: Catalogue) -> dict[str, JsonValue]:
    match found:
        case ChipScan():
            guidance, evidence = catalogue.chip(found.verdict), to_json(ChipEvidence.of(found))
        case failure:
            gone = isinstance(failure, ReaderGone) and not isinstance(failure, ReaderStuck)
            trouble = "chip_trouble.reader_gone" if gone else "chip_trouble.reader_fault"
            guidance = catalogue.guidance(trouble)
            evidence = {"verdict": None, "detail": str(failure)}
    return {
        "slot": slot,
        **evidence,
        "text": {
            "ja": guidance.ja,
            "en": guidance.en,
            "what_to_do": {"ja": guidance.what_to_do.ja, "en": guidance.what_to_do.en},
        },
    }


def chips_view(told: JsonObject, catalogue: Catalogue, language: Language) -> RenderableType:
    """What `benchd felica scan --json` tells, for a terminal."""
    cells = Cells(catalogue, language)
    table = plain_table()
    table.add_column(cells.say("word.slot"), no_wrap=True)
    table.add_column(cells.say("word.chip"), overflow="fold", min_width=16)
    table.add_column(cells.say("word.services"), overflow="fold", min_width=8)
    table.add_column(cells.say("word.what_to_do"), overflow="fold", min_width=20)
    for slot in parts(told, "slots"):
        guidance = part(slot, "text")
        says = cells.says(guidance)
        # Green is for what is proven, which a look at a chip never is.
        says.stylize("bold" if slot.get("verdict") == ChipVerdict.UNUSED else "bold red")
        table.add_row(
            text(slot, "slot"),
            Group(says, _detail(slot)),
            _services(slot, language),
            Group(*cells.what_to_do(guidance)),
            end_section=True,
        )
    return table


def _detail(slot: JsonObject) -> Text:
    """What the reader itself says, in English, for whoever is asked for help."""
    return Text(text(slot, "detail", longest=LONGEST_DETAIL).plain, style="dim")


def _services(slot: JsonObject, language: Language) -> Text:
    names = slot.get(f"owners_{language}")
    if not isinstance(names, Sequence) or isinstance(names, str) or not names:
        return nothing()
    between = "、" if language == "ja" else ", "
    return Text(printable(between.join(str(name) for name in names), LONGEST_SERVICES))
