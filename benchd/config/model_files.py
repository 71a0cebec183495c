"""Reads the catalogue of models: every file of a folder is one maker, the later folder counts."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from benchd.config.locator import KeyPath
from benchd.config.mistake_wording import found, listed, suggestion
from benchd.config.model_tables import ModelFile
from benchd.config.parsed_toml import Document, read_document
from benchd.config.recipes import recipe_files
from benchd.config.validation import check
from benchd.domain.errors import ConfigInvalid, ConfigIssue
from benchd.domain.models.model_catalogue import ModelCatalogue, in_any_case
from benchd.domain.models.model_entry import Maker, Menu, ModelEntry

_INSTALLED = Path(__file__).parents[1] / "domain" / "models" / "shipped"
_IN_A_CHECKOUT = Path(__file__).parents[2] / "configs" / "models"


def shipped_models() -> Path:
    """The folder that benchd brings: in an installation beside its code, else in the checkout."""
    return _INSTALLED if _INSTALLED.is_dir() else _IN_A_CHECKOUT


def read_models(folders: Sequence[Path]) -> ModelCatalogue:
    """The catalogue of these folders; ConfigInvalid with every mistake, OSError for no folder.

    An entry of a code takes the place of one in an earlier folder, and so do makers and menus.
    """
    return _catalogue_of(
        tuple(tuple((file, _content(file)) for file in recipe_files(folder)) for folder in folders)
    )


def _content(file: Path) -> bytes | None:
    """What stands in it; None where it can't be read, which is told when it is parsed."""
    try:
        return file.read_bytes()
    except OSError:
        return None


@lru_cache(maxsize=1)
def _catalogue_of(folders: tuple[tuple[tuple[Path, bytes | None], ...], ...]) -> ModelCatalogue:
    """The catalogue of these files; the last one is kept, since parsing takes most of a load."""
    reading = _Reading()
    for files in folders:
        reading.begin_folder()
        for file, content in files:
            reading.read(file, content)
    return reading.catalogue()


class _Reading:
    def __init__(self) -> None:
        self._issues: list[ConfigIssue] = []
        self._makers: dict[str, Maker] = {}
        self._menus: dict[str, list[Menu]] = {}
        self._entries: dict[str, ModelEntry] = {}
        """By each of their codes, in any case."""
        self._named_menus: list[tuple[Document, KeyPath, str]] = []
        self._digest = hashlib.sha256()
        self._codes_here: dict[str, tuple[Document, KeyPath]] = {}
        self._menus_here: set[str] = set()

    def begin_folder(self) -> None:
        """What stood in earlier folders may be replaced, not what stands in this one."""
        self._codes_here = {}
        self._menus_here = set()

    def read(self, file: Path, content: bytes | None) -> None:
        try:
            document = read_document(file, str(file), content)
        except ConfigInvalid as invalid:
            self._issues += invalid.issues
            return
        self._digest.update(f"{file.stem} {document.digest}\n".encode())
        parsed, issues = check(ModelFile, document, data=document.data)
        self._issues += issues
        if parsed is None:
            return
        if parsed.maker is not None:
            self._makers[file.stem] = parsed.maker.value(file.stem)
            self._named_menus.append((document, ("maker", "menus"), parsed.maker.menus))
        for index, menu in enumerate(parsed.menu):
            self._add_menu(document, index, menu.value())
        maker = self._makers.get(file.stem)
        if maker is None:
            self._refuse_models_of_nobody(document, parsed)
            return
        for index, model in enumerate(parsed.model):
            self._add_model(document, index, model.value(maker))
            if model.menus is not None:
                self._named_menus.append((document, ("model", index, "menus"), model.menus))

    def _refuse_models_of_nobody(self, document: Document, parsed: ModelFile) -> None:
        """A file that has menus only, for others to name, is of no maker."""
        if parsed.model:
            message = "is required and missing; add it, or call the file like a known maker's"
            self._issues.append(document.issue(("maker",), message))

    def catalogue(self) -> ModelCatalogue:
        self._look_for_menus()
        if self._issues:
            raise ConfigInvalid(tuple(self._issues))
        return ModelCatalogue.of_entries(
            self._makers.values(),
            (menu for menus in self._menus.values() for menu in menus),
            self._standing_entries(),
            self._digest.hexdigest(),
        )

    def _standing_entries(self) -> list[ModelEntry]:
        """Every entry with the codes that no later folder has taken from it."""
        keys: dict[ModelEntry, set[str]] = {}
        for key, entry in self._entries.items():
            keys.setdefault(entry, set()).add(key)
        return [
            replace(entry, codes=tuple(c for c in entry.codes if in_any_case(c) in its_keys))
            for entry, its_keys in keys.items()
        ]

    def _add_menu(self, document: Document, index: int, menu: Menu) -> None:
        if menu.name not in self._menus_here:
            self._menus_here.add(menu.name)
            self._menus[menu.name] = []
        if any(_overlap(menu, other) for other in self._menus[menu.name]):
            message = f"the menus {found(menu.name)} stand twice for one Android"
            self._issues.append(document.issue(("menu", index), message))
        self._menus[menu.name].append(menu)

    def _add_model(self, document: Document, index: int, entry: ModelEntry) -> None:
        for place, code in enumerate(entry.codes):
            key = in_any_case(code)
            at: KeyPath = ("model", index, "codes", place)
            if key in self._codes_here:
                first, path = self._codes_here[key]
                where = f"{first.file}:{first.place(path).line}"
                message = f"found {found(code)}, which stands in {where} already; allowed is once"
                self._issues.append(document.issue(at, message))
            self._codes_here[key] = (document, at)
            self._entries[key] = entry

    def _look_for_menus(self) -> None:
        for document, path, name in self._named_menus:
            if name not in self._menus:
                self._issues.append(
                    document.issue(
                        path,
                        f"found {found(name)}, allowed is the name of menus that there are:"
                        f" {listed(sorted(self._menus)) or 'none'}{suggestion(name, self._menus)}",
                    )
                )


def _overlap(one: Menu, other: Menu) -> bool:
    return one.is_of(other.first_android) or other.is_of(one.first_android)
