"""From the [felica] table to settings: providers made ready, baselines read, every mistake told."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import cast

from benchd.config.config_sections import SlotSettings
from benchd.config.felica_section import FelicaSection
from benchd.config.locator import KeyPath
from benchd.config.mistake_wording import found, listed, suggestion
from benchd.config.parsed_toml import Document
from benchd.devices.felica.protocol.chip_errors import DataFileInvalid
from benchd.devices.felica.providers.kinds import known_kinds, load_kind
from benchd.devices.felica.reader_settings import FelicaSettings
from benchd.devices.felica.verdict.baselines import Baselines, load_baselines
from benchd.devices.felica.verdict.nodes import shipped_catalogue
from benchd.domain.chip import BaselineKind
from benchd.domain.errors import ConfigIssue
from benchd.domain.ids import SlotName
from benchd.domain.ports import ClearProvider
from benchd.proof.evidence.chip_evidence import HANDSET

Makers = dict[str, Callable[[], ClearProvider]]


def felica_settings(
    section: FelicaSection, slots: Mapping[SlotName, SlotSettings], makers: Makers
) -> FelicaSettings:
    """The settings of a table without a mistake."""
    readers = {name: slot.reader for name, slot in slots.items() if slot.reader is not None}
    return FelicaSettings(
        readers=MappingProxyType(readers),
        pcscd=tuple(section.pcscd),
        baselines=tuple(section.baselines),
        providers=MappingProxyType(makers),
        rules=tuple(table.as_rule() for table in section.clear),
    )


def make_providers(document: Document, folder: Path) -> tuple[Makers, list[ConfigIssue]]:
    """What makes each provider, and what is wrong with the options of the others."""
    makers: Makers = {}
    issues: list[ConfigIssue] = []
    for name, options in _tables(_felica(document).get("providers")).items():
        kind = options.pop("kind", None)
        if not isinstance(kind, str):
            continue  # which the section's own check tells
        at: KeyPath = ("felica", "providers", name)
        if name == HANDSET:
            message = (
                f"found {found(name)}, which stands for handsets that erase their own chip;"
                " allowed is any other name"
            )
            issues.append(document.issue(at, message))
        if kind not in known_kinds():
            allowed = sorted(known_kinds())
            message = (
                f"found {found(kind)}, allowed is one of {listed(allowed)}"
                f"{suggestion(kind, allowed)}"
            )
            issues.append(document.issue((*at, "kind"), message))
            continue
        try:
            makers[name] = load_kind(kind)(name, options, folder)
        except ValueError as refusal:
            # OptionRefused says where; of any other mistake in the options that much is known.
            key = getattr(refusal, "key", None)
            path = (*at, key) if isinstance(key, str) else at
            issues.append(document.issue(path, str(refusal)))
        except (ImportError, AttributeError) as broken:
            others = listed(sorted(known_kinds() - {kind}))
            message = (
                f"found {found(kind)}, whose package can't be loaded: {broken}; install that"
                f" package, or name another kind ({others})"
            )
            issues.append(document.issue((*at, "kind"), message))
        except (Exception, SystemExit) as broken:  # noqa: BLE001 - another package's code
            message = (
                f"kind {kind} failed on these options with {type(broken).__name__}: tell whoever"
                " maintains the package that brings it"
            )
            issues.append(document.issue(at, message))
    return makers, issues


def felica_issues(document: Document, section: FelicaSection | None) -> Iterator[ConfigIssue]:
    """Mistakes between keys, and in the files of baselines."""
    yield from _shared_readers(document)
    yield from _rules(document)
    if section is not None and section.baselines:
        try:
            baselines = load_baselines(shipped_catalogue(), section.baselines)
            if not section.accept_simulated:
                yield from _simulated(document, baselines)
        except DataFileInvalid as invalid:
            for mistake in invalid.mistakes:
                message = f"{invalid.file}: {mistake}"
                yield document.issue(("felica", "baselines"), message)
        except OSError as error:
            message = f"{error.filename}: can't be read: {error.strerror}"
            yield document.issue(("felica", "baselines"), message)


def _simulated(document: Document, baselines: Baselines) -> Iterator[ConfigIssue]:
    """A picture that was made up for virtual chips is none to hold a real chip against."""
    for baseline in baselines.all:
        if baseline.kind is BaselineKind.SIMULATED:
            yield document.issue(
                ("felica", "baselines"),
                f"baseline {baseline.name} is simulated and true of no real chip; take its file"
                " out. Only a virtual rack says accept_simulated = true",
            )


def _shared_readers(document: Document) -> Iterator[ConfigIssue]:
    first: dict[str, str] = {}
    for slot, table in _tables(document.data.get("slots")).items():
        reader = table.get("reader")
        if not isinstance(reader, str):
            continue
        owner = first.setdefault(reader, slot)
        if owner != slot:
            line = document.place(("slots", owner, "reader")).line
            yield document.issue(
                ("slots", slot, "reader"),
                f"found {found(reader)}, which is slot {owner}'s in line {line}; allowed is each"
                ' reader once (name the USB port of readers with one name, "usb:1-4.2.3")',
            )


def _rules(document: Document) -> Iterator[ConfigIssue]:
    providers = _tables(_felica(document).get("providers")).keys()
    slots = _tables(document.data.get("slots")).keys()
    rules = _felica(document).get("clear")
    for index, rule in enumerate(cast("list[object]", rules) if isinstance(rules, list) else []):
        table = cast("dict[str, object]", rule) if isinstance(rule, dict) else {}
        at: KeyPath = ("felica", "clear", index)
        provider = table.get("provider")
        if isinstance(provider, str):
            yield from _unknown(document, (*at, "provider"), provider, providers, "providers")
        named = table.get("slots")
        for place, slot in enumerate(
            cast("list[object]", named) if isinstance(named, list) else []
        ):
            if isinstance(slot, str):
                yield from _unknown(document, (*at, "slots", place), slot, slots, "slots")


def _unknown(
    document: Document, path: KeyPath, name: str, names: Collection[str], what: str
) -> Iterator[ConfigIssue]:
    if name not in names:
        yield document.issue(
            path,
            f"found {found(name)}, allowed is one of the {what} that there are:"
            f" {listed(sorted(names)) or 'none'}{suggestion(name, names)}",
        )


def _felica(document: Document) -> dict[str, object]:
    felica = document.data.get("felica")
    return cast("dict[str, object]", felica) if isinstance(felica, dict) else {}


def _tables(value: object) -> dict[str, dict[str, object]]:
    """The tables in a table, each a copy."""
    table = cast("dict[str, object]", value) if isinstance(value, dict) else {}
    return {
        name: dict(cast("dict[str, object]", inner))
        for name, inner in table.items()
        if isinstance(inner, dict)
    }
