"""The [[printers]] tables: what prints labels, of which slots, and which by itself."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, cast

from pydantic import AfterValidator, Field, StringConstraints, ValidationInfo, field_validator

from benchd.config.config_values import LocalPath, OneLine, Section
from benchd.config.mistake_wording import found, refused, suggestion
from benchd.config.parsed_toml import Document
from benchd.domain.errors import ConfigIssue
from benchd.domain.ids import SlotName
from benchd.domain.job import Disposition
from benchd.domain.plain_text import Language
from benchd.domain.printer import (
    CupsQueue,
    Dpi,
    LabelForm,
    Printer,
    PrinterKind,
    Raw9100,
    UsbPrinter,
)

MOST_PRINTERS = 16

_NAME = re.compile(r"[A-Za-z0-9_-]{1,16}")
_QUEUE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,126}")
_NEEDED = {PrinterKind.RAW9100: "host", PrinterKind.CUPS: "queue", PrinterKind.USB: "device"}


def _name(name: str) -> str:
    # It stands in metrics and in addresses.
    if not _NAME.fullmatch(name):
        raise refused(
            f"found {found(name)}, allowed as a printer's name are"
            " 1 to 16 letters A-Z a-z, digits, _ and -"
        )
    return name


def _queue(name: str) -> str:
    # The name becomes an argument of a command: it can't begin like an option.
    if not _QUEUE.fullmatch(name):
        raise refused(f"found {found(name)}, allowed is the name of a queue: `lpstat -e`")
    return name


def _dpi(dpi: int) -> int:
    if dpi not in (203, 300):
        raise refused(f"found {dpi}, allowed are 203 (8 dots a millimetre) and 300 (12 dots)")
    return dpi


class PrinterSection(Section):
    """One printer of labels."""

    name: Annotated[str, AfterValidator(_name)]
    width_mm: Annotated[float, Field(ge=40, le=110, allow_inf_nan=False)] = 62.0
    height_mm: Annotated[float, Field(ge=25, le=150, allow_inf_nan=False)] = 40.0
    dpi: Annotated[int, AfterValidator(_dpi)] = 203
    language: Language = "ja"
    auto: list[Literal["sellable", "return", "hold", "destroy"]] = Field(
        default_factory=list[Literal["sellable", "return", "hold", "destroy"]]
    )
    slots: list[SlotName] = Field(default_factory=list[SlotName])
    host: OneLine | None = None
    port: Annotated[int, Field(ge=1, le=65535)] = 9100
    asks_status: bool = True
    queue: Annotated[str, StringConstraints(max_length=127), AfterValidator(_queue)] | None = None
    device: LocalPath | None = None
    kind: Literal["raw9100", "cups", "usb"]

    @field_validator("kind")
    @classmethod
    def _reached(
        cls, kind: Literal["raw9100", "cups", "usb"], info: ValidationInfo
    ) -> Literal["raw9100", "cups", "usb"]:
        needed = _NEEDED[PrinterKind(kind)]
        # A mistake in what stands before is reported there, and then it isn't among the data.
        if info.data.get(needed, "unknown") is None:
            raise refused(f"a printer of the kind {kind} is reached by its {needed}: add {needed}")
        others = [
            key
            for key in _NEEDED.values()
            if key != needed and info.data.get(key, None) is not None
        ]
        if others:
            raise refused(f"a printer of the kind {kind} has no {others[0]}; remove it")
        return kind

    @property
    def printer(self) -> Printer:
        """The same as the labels' room is told it."""
        form = LabelForm(
            width_mm=self.width_mm,
            height_mm=self.height_mm,
            dpi=cast("Dpi", self.dpi),
            language=self.language,
        )
        return Printer(
            name=self.name,
            at=self._at(),
            form=form,
            auto=frozenset(map(Disposition, self.auto)),
            slots=frozenset(self.slots),
        )

    def _at(self) -> Raw9100 | CupsQueue | UsbPrinter:
        match PrinterKind(self.kind):
            case PrinterKind.RAW9100:
                return Raw9100(host=self.host or "", port=self.port, asks_status=self.asks_status)
            case PrinterKind.CUPS:
                return CupsQueue(queue=self.queue or "")
            case PrinterKind.USB:
                return UsbPrinter(device=self.device or Path())


Printers = Annotated[list[PrinterSection], Field(max_length=MOST_PRINTERS)]


def printer_issues(document: Document) -> Iterator[ConfigIssue]:
    """Two printers have two names, and a printer's slots are slots that there are."""
    slots = document.data.get("slots")
    names = list(cast("dict[str, object]", slots)) if isinstance(slots, dict) else []
    first: dict[str, int] = {}
    for index, table in enumerate(_list(document.data.get("printers"))):
        printer = cast("dict[str, object]", table) if isinstance(table, dict) else {}
        name = printer.get("name")
        if isinstance(name, str) and first.setdefault(name, index) != index:
            line = document.place(("printers", first[name], "name")).line
            yield document.issue(
                ("printers", index, "name"),
                f"found {found(name)}, which is another printer in line {line};"
                " allowed is each name once",
            )
        for place, slot in enumerate(_list(printer.get("slots"))):
            if isinstance(slot, str) and slot not in names:
                yield document.issue(
                    ("printers", index, "slots", place),
                    f"found {found(slot)}, which is no slot; allowed are the names under [slots]"
                    + suggestion(slot, names),
                )


def _list(value: object) -> list[object]:
    return cast("list[object]", value) if isinstance(value, list) else []
