"""From files to settings, or to every mistake in all of them. Reads only, changes nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import cast, get_origin

from benchd.config.config_sections import ConfigFile, ModelsSettings, RackSettings, RecipesSettings
from benchd.config.deprecated_keys import without_retired
from benchd.config.felica_settings import Makers, felica_issues, felica_settings, make_providers
from benchd.config.fleet_section import fleet_issues
from benchd.config.fresh_pictures import read_pictures
from benchd.config.hooks_section import hook_file_issues, hook_issues
from benchd.config.http_section import http_issues
from benchd.config.locator import KeyPath
from benchd.config.mistake_wording import found, listed, suggestion
from benchd.config.model_files import read_models, shipped_models
from benchd.config.parsed_toml import Document, read_document, unreadable
from benchd.config.printers_section import printer_issues
from benchd.config.recipes import RecipeBook, read_recipes, recipe_files
from benchd.config.settings import Settings
from benchd.config.traces_section import trace_issues
from benchd.config.validation import check
from benchd.config.wall_section import wall_issues
from benchd.domain.errors import ConfigInvalid, ConfigIssue, UsageRefused
from benchd.domain.models.model_catalogue import ModelCatalogue
from benchd.domain.topology import SlotPlace, Timing, Topology
from benchd.proof.evidence.fresh_evidence import SignedPicture


def load_settings(path: Path, content: bytes | None = None) -> Settings:
    """The settings of a configuration file and its recipes; ConfigInvalid with every mistake.

    With `content`, those that there would be if that stood in the file.
    """
    document = read_document(path, str(path), content)
    folder = path.absolute().parent
    # A section that isn't there is an empty one, so that its defaults are checked and resolved.
    absent = {
        name: dict[str, object]()
        for name, field in ConfigFile.model_fields.items()
        if not field.is_required() and get_origin(field.annotation) is not list
    }
    data, retired = without_retired(document)
    parsed, issues = check(
        ConfigFile, document, data={**absent, **data}, context={"folder": folder}
    )
    issues += [*_port_issues(document), *wall_issues(document)]
    issues += [*hook_issues(document), *printer_issues(document)]
    book = _recipe_book(document, path)
    issues += book.issues
    models = _models(document, parsed.models, issues) if parsed else ModelCatalogue()
    pictures = _pictures(document, parsed.models, issues) if parsed else ()
    makers, refusals = make_providers(document, folder)
    issues += [*refusals, *felica_issues(document, None if parsed is None else parsed.felica)]
    if parsed is not None:
        issues += http_issues(document, parsed.http)
        issues += hook_file_issues(document, parsed.hooks)
        issues += trace_issues(document, parsed.traces)
        issues += fleet_issues(document, parsed.fleet)
    if parsed is None or issues:
        raise ConfigInvalid(tuple(sorted(issues, key=place_of)))
    options = repr(document.table("felica").get("providers"))
    found = _settings(parsed, book, models, makers, options)
    return replace(found, fresh_pictures=pictures, retired=retired)


def place_of(issue: ConfigIssue) -> tuple[str, int, int, str]:
    """By what mistakes are ordered."""
    return issue.file, issue.line, issue.column, issue.message


def _recipe_book(document: Document, path: Path) -> RecipeBook:
    """The recipes, with the mistakes in naming them and in naming where they are."""
    default: object = RecipesSettings.model_fields["directory"].default
    named = document.table("recipes").get("directory", str(default))
    if not isinstance(named, str) or not named or "\0" in named:
        return RecipeBook()  # not a path, which the section's own check tells
    # Not made absolute: messages show the files as the path of the command names them.
    directory = path.parent / named
    try:
        files = {file.absolute(): str(file) for file in recipe_files(directory)}
    except OSError as error:
        message = f"the directory {directory} {unreadable(error)}"
        return RecipeBook(issues=[document.issue(("recipes", "directory"), message)])
    book = read_recipes(files)
    book.issues += _recipe_reference_issues(document, book.names)
    return book


def _models(
    document: Document, section: ModelsSettings, issues: list[ConfigIssue]
) -> ModelCatalogue:
    """The catalogue of models; the mistakes in it go to `issues`."""
    folders = [shipped_models()] if section.shipped else []
    for index, folder in enumerate(section.folders):
        if not folder.is_dir():
            message = f"the folder {folder} isn't there; correct the path"
            issues.append(document.issue(("models", "folders", index), message))
            return ModelCatalogue()
    try:
        return read_models([*folders, *section.folders])
    except ConfigInvalid as invalid:
        issues += invalid.issues
    except OSError as error:
        message = f"the folder {error.filename} {unreadable(error)}"
        issues.append(document.issue(("models", "folders"), message))
    return ModelCatalogue()


def _pictures(
    document: Document, section: ModelsSettings, issues: list[ConfigIssue]
) -> tuple[SignedPicture, ...]:
    """The fresh pictures; the mistakes in them go to `issues`."""
    try:
        return read_pictures(section.fresh_pictures)
    except UsageRefused as refused:
        issues.append(document.issue(("models", "fresh_pictures"), str(refused)))
    except OSError as error:
        message = f"the folder {error.filename} {unreadable(error)}"
        issues.append(document.issue(("models", "fresh_pictures"), message))
    return ()


def _port_issues(document: Document) -> Iterator[ConfigIssue]:
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


def _recipe_reference_issues(document: Document, names: Collection[str]) -> Iterator[ConfigIssue]:
    """Every recipe that is named has to be there."""
    chosen = document.table("rack").get("recipe", RackSettings.model_fields["recipe"].default)
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
    for slot, table in document.table("slots").items():
        value = cast("dict[str, object]", table).get(key) if isinstance(table, dict) else None
        if isinstance(value, str):
            yield slot, value


def _settings(
    parsed: ConfigFile,
    book: RecipeBook,
    models: ModelCatalogue,
    makers: Makers,
    provider_options: str,
) -> Settings:
    return Settings(
        site=parsed.site,
        adb=parsed.adb,
        ledger=parsed.ledger,
        certificate=parsed.certificate,
        clock=parsed.clock,
        dossiers=parsed.dossiers,
        http=parsed.http,
        people=parsed.people,
        tokens=parsed.tokens,
        topology=Topology(
            {
                name: SlotPlace(
                    name=name, port_path=slot.port, recipe=slot.recipe or parsed.rack.recipe
                )
                for name, slot in parsed.slots.items()
            }
        ),
        recipes=MappingProxyType(book.recipes),
        recipe_descriptions=MappingProxyType(book.descriptions),
        models=models,
        fresh_folder=parsed.models.fresh_pictures,
        fresh_pictures=(),
        felica=felica_settings(parsed.felica, parsed.slots, makers),
        provider_options=provider_options,
        timing=Timing(debounce_s=parsed.rack.settle_s),
        wall=parsed.wall.plan.for_slots(parsed.slots),
        grades=parsed.grades.scale,
        printers=tuple(section.printer for section in parsed.printers),
        hooks=tuple(parsed.hooks),
        traces=parsed.traces,
        fleet=parsed.fleet,
    )
