"""Mistakes between keys: found in the raw document, so that no other mistake hides them."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import cast

from benchd.config.document import Document
from benchd.config.locator import KeyPath
from benchd.config.sections import RackSettings
from benchd.config.wording import found, listed, suggestion
from benchd.errors import ConfigIssue


def table_at(document: Document, name: str) -> dict[str, object]:
    """A table of the top level, empty if there is none of that name."""
    table = document.data.get(name)
    return cast("dict[str, object]", table) if isinstance(table, dict) else {}


def port_issues(document: Document) -> Iterator[ConfigIssue]:
    """One port can't be two slots."""
    first: dict[str, str] = {}
    for slot, port in _texts(document, "port"):
        owner = first.setdefault(port, slot)
        if owner != slot:
            line = document.place(("slots", owner, "port")).line
            yield document.issue(
                ("slots", slot, "port"),
                f"found {found(port)}, which is slot {owner} in line {line};"
                " allowed is each port once",
            )


def recipe_reference_issues(document: Document, names: Collection[str]) -> Iterator[ConfigIssue]:
    """Every recipe that is named has to be there."""
    chosen = table_at(document, "rack").get("recipe", RackSettings.model_fields["recipe"].default)
    references: list[tuple[KeyPath, str]] = [
        (("slots", slot, "recipe"), recipe) for slot, recipe in _texts(document, "recipe")
    ]
    if isinstance(chosen, str):
        references.insert(0, (("rack", "recipe"), chosen))
    for path, recipe in references:
        if recipe not in names:
            yield document.issue(
                path,
                f"found {found(recipe)}, allowed is one of the recipes that there are:"
                f" {listed(sorted(names)) or 'none'}{suggestion(recipe, names)}",
            )


def _texts(document: Document, key: str) -> Iterator[tuple[str, str]]:
    for slot, table in table_at(document, "slots").items():
        value = cast("dict[str, object]", table).get(key) if isinstance(table, dict) else None
        if isinstance(value, str):
            yield slot, value
