"""Reads the dealer's recipes: every file of a directory is one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, cast

from pydantic import AfterValidator, Field

from benchd.config.config_sections import OneLine, Section
from benchd.config.mistake_wording import found, refused
from benchd.config.parsed_toml import Document, read_document
from benchd.config.recipe_rules import ReadStage, recipe_issues
from benchd.config.stages import HANDSETS, RecipeKind
from benchd.config.validation import check
from benchd.domain.errors import ConfigInvalid, ConfigIssue
from benchd.domain.job import Reason
from benchd.pipelines.recipe import Recipe

DAYS_A_LOOK_IS_GOOD_FOR = 30.0
"""Where a recipe doesn't say so of its look before a sale."""
_NAME = re.compile(r"[a-z0-9_-]{1,32}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipeDescription:
    """What a recipe does, in the words of the operators."""

    ja: str
    en: str


@dataclass(slots=True, kw_only=True)
class RecipeBook:
    """All recipes of a directory, and all that is wrong with them."""

    names: set[str] = field(default_factory=set[str])
    """Also of the files that have mistakes: a slot that names one makes no further mistake."""
    recipes: dict[str, Recipe] = field(default_factory=dict[str, Recipe])
    descriptions: dict[str, RecipeDescription] = field(default_factory=dict[str, RecipeDescription])
    issues: list[ConfigIssue] = field(default_factory=list[ConfigIssue])


def _recipe_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise refused(
            f"found {found(name)}, allowed as a recipe's name are"
            " 1 to 32 letters a-z, digits, _ and -"
        )
    return name


class RecipeFile(Section):
    """A recipe's file, except for what is in its stages."""

    name: Annotated[str, AfterValidator(_recipe_name)]
    description_ja: OneLine
    description_en: OneLine
    ends_as: Literal["overwrite_due", "assessed", "rechecked", "recycled"] = "overwrite_due"
    needs_adb: bool = True
    good_for_days: Annotated[float, Field(gt=0, le=365, allow_inf_nan=False)] | None = None
    other_racks_not_asked: Literal["go_on", "hold"] = "go_on"
    recheck_share: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] = 0.0
    stage: Annotated[list[dict[str, object]], Field(min_length=1)]


def recipe_files(directory: Path) -> list[Path]:
    """The recipes of a directory in order; OSError if it can't be read."""
    return sorted(
        file
        for file in directory.iterdir()
        # An editor's lock or backup of a recipe isn't one.
        if file.suffix == ".toml" and not file.name.startswith(".")
    )


def read_recipes(
    files: Mapping[Path, str], kinds: Sequence[RecipeKind] = (HANDSETS,)
) -> RecipeBook:
    """The recipes of these files, each given with the path that messages show."""
    book = RecipeBook(names={file.stem for file in files})
    for file, shown in files.items():
        try:
            document = read_document(file, shown)
        except ConfigInvalid as invalid:
            book.issues += invalid.issues
        else:
            _read_recipe(document, file, book, kinds)
    return book


def _read_recipe(
    document: Document, file: Path, book: RecipeBook, kinds: Sequence[RecipeKind]
) -> None:
    stem = file.stem
    kind = _kind_of(document, kinds)
    parsed, issues = check(RecipeFile, document, data=document.data)
    stages = _read_stages(document, file.parent, issues, kind)
    issues += recipe_issues(document, stages, kind)
    if parsed is not None and parsed.name != stem:
        issues.append(
            document.issue(
                ("name",), f'found {found(parsed.name)}, allowed is the name of the file, "{stem}"'
            )
        )
    book.issues += issues
    if parsed is not None and not issues:
        book.recipes[stem] = Recipe(
            name=parsed.name,
            digest=document.digest,
            ends_as=Reason(parsed.ends_as),
            needs_access=parsed.needs_adb,
            kind=kind.profile.kind,
            good_for_days=_good_for_days(parsed),
            recheck_share=parsed.recheck_share,
            holds_unasked=parsed.other_racks_not_asked == "hold",
            stages=tuple(stage.spec for stage in stages if stage.spec is not None),
        )
        book.descriptions[stem] = RecipeDescription(
            ja=parsed.description_ja, en=parsed.description_en
        )


def _good_for_days(parsed: RecipeFile) -> float | None:
    if parsed.ends_as != Reason.RECHECKED:
        return None
    return DAYS_A_LOOK_IS_GOOD_FOR if parsed.good_for_days is None else parsed.good_for_days


def _kind_of(document: Document, kinds: Sequence[RecipeKind]) -> RecipeKind:
    """The kind of the first stage that no other kind has; the first one where there is none."""
    tables = document.data.get("stage")
    for data in cast("list[object]", tables) if isinstance(tables, list) else ():
        name = cast("dict[str, object]", data).get("name") if isinstance(data, dict) else None
        of_kinds = [kind for kind in kinds if name in kind.stages]
        if len(of_kinds) == 1:
            return of_kinds[0]
    return kinds[0]


def _read_stages(
    document: Document, folder: Path, issues: list[ConfigIssue], kind: RecipeKind
) -> list[ReadStage]:
    """Every stage that is a table; the mistakes in them go to `issues`."""
    tables = document.data.get("stage")
    if not isinstance(tables, list):
        return []
    stages: list[ReadStage] = []
    for index, data in enumerate(cast("list[object]", tables)):
        if not isinstance(data, dict):
            continue
        table = cast("dict[str, object]", data)
        name = next((stage for stage in kind.stages if stage == table.get("name")), None)
        model = kind.unknown if name is None else kind.tables[name]
        parsed, mistakes = check(
            model, document, at=("stage", index), data=table, context={"folder": folder}
        )
        issues += mistakes
        stages.append(
            ReadStage(
                index=index,
                name=name,
                spec=None if parsed is None else kind.spec(parsed),
                describes=None if name is None else kind.stages[name].describes,
            )
        )
    return stages
