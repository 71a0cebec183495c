"""`benchd models …`: what is known of handsets by their model, looked at without the daemon."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchd.cli.daemon_client import show
from benchd.cli.messages import failed, language, named, say, tell, tell_rows
from benchd.cli.misuse import mistake
from benchd.cli.options import DEFAULT_CONFIG, JsonOption
from benchd.domain.ids import JsonValue
from benchd.domain.plain_text import printable

if TYPE_CHECKING:
    from benchd.domain.models.model_catalogue import ModelCatalogue
    from benchd.domain.models.model_entry import Bilingual, Menu, ModelEntry, Source

models_app = typer.Typer(help="What is known of handsets by their model.", no_args_is_help=True)

BYTES_OF_GB = 1_000_000_000
LONGEST_CODES = 200
UNKNOWN = "?"

ConfigOption = Annotated[
    Path | None,
    typer.Option("--config", help=r"The configuration whose \[models] count."),
]


@models_app.command("check")
def models_check(
    folder: Annotated[
        Path | None, typer.Argument(help="A folder of models; else all that count.")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Report every mistake of a folder of models; changes nothing."""
    from benchd.config.model_files import read_models, shipped_models

    if folder is None:
        known = _catalogue(config)
    elif folder.is_dir():
        # A file of it may add to a maker, and name menus, that benchd brings.
        known = read_models([shipped_models(), folder])
    else:
        raise mistake("say.no_folder", path=str(folder))
    makers = {entry.maker for entry in known.models}
    tell("say.models_checked", count=str(len(known.models)), value=str(len(makers)))


@models_app.command("list")
def models_list(
    json_output: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Name every model that is known, with its codes and sizes."""
    known = _catalogue(config)
    entries = sorted(known.models, key=lambda entry: (entry.maker, entry.name))
    told = {"sha256": known.sha256, "models": [_told(entry, known) for entry in entries]}
    columns = ("maker", "name", "codes", "storage")
    show(json_output, told, lambda: tell_rows(columns, map(_cells, entries)))


@models_app.command("show")
def models_show(
    code: Annotated[str, typer.Argument(help="A code such as SO-02K.")], config: ConfigOption = None
) -> None:
    """Tell all that is known of one model, by a code as the handset says it."""
    known = _catalogue(config)
    entry = known.of_code(code)
    if entry is None:
        raise failed("say.unknown_model", name=code)
    reads = language()
    for key, value in _told(entry, known).items():
        for item in value if isinstance(value, list) else [value]:
            said = item.get(reads) if isinstance(item, dict) else item
            typer.echo(f"{named('field', key)}\t{_cell(said)}")


def _catalogue(config: Path | None) -> ModelCatalogue:
    """The models of this configuration, else of the usual one, else those that benchd brings."""
    from benchd.config import load_settings
    from benchd.config.model_files import read_models, shipped_models

    if config is not None or DEFAULT_CONFIG.is_file():
        return load_settings(config or DEFAULT_CONFIG).models
    return read_models([shipped_models()])


def _told(entry: ModelEntry, known: ModelCatalogue) -> dict[str, JsonValue]:
    """An entry by the keys of its file, with the menus that it names."""
    menus = known.menus.get(entry.menus, ())
    return {
        "maker": entry.maker,
        "name": entry.name,
        "codes": list(entry.codes),
        "devices": list(entry.devices),
        "storage_bytes": list(entry.storage_bytes),
        "felica": entry.felica,
        "felica_generation": entry.felica_generation,
        "felica_erase": _both(entry.felica_erase.way) if entry.felica_erase else None,
        "signed_in": entry.felica_erase.signed_in if entry.felica_erase else None,
        "from_android": entry.felica_erase.first_android if entry.felica_erase else None,
        "disputed": [str(fact) for fact in entry.disputed],
        "released": entry.released,
        "imei": [str(place) for place in entry.imei],
        "reset": [_way(menu, menu.reset) for menu in menus],
        "debugging": [_way(menu, menu.debugging) for menu in menus if menu.debugging],
        "traps": [_both(trap) for trap in entry.traps],
        "sources": [f"{each.url} ({each.read_on}): {each.says}" for each in _sources(entry)],
    }


def _sources(entry: ModelEntry) -> tuple[Source, ...]:
    """Of all that it says."""
    return entry.sources + (entry.felica_erase.sources if entry.felica_erase else ())


def _cells(entry: ModelEntry) -> tuple[str, ...]:
    sizes = ", ".join(_gigabytes(size) for size in entry.storage_bytes)
    codes = printable(" ".join(entry.codes), LONGEST_CODES)
    return (entry.maker, entry.name, codes, sizes or UNKNOWN)


def _way(menu: Menu, words: Bilingual) -> dict[str, JsonValue]:
    last = f"–{menu.last_android}" if menu.last_android else "+"
    versions = f"Android {menu.first_android}{last}"
    return {"ja": f"{versions}: {words.ja}", "en": f"{versions}: {words.en}"}


def _both(words: Bilingual) -> dict[str, JsonValue]:
    return {"ja": words.ja, "en": words.en}


def _cell(value: JsonValue) -> str:
    if isinstance(value, bool):
        return say("word.yes" if value else "word.no")
    return UNKNOWN if value is None else str(value)


def _gigabytes(size_bytes: int) -> str:
    return f"{size_bytes / BYTES_OF_GB:g} GB"
