"""Check of a configuration that is stricter than a start: what a rack would still go on with.

Whether a rack that draws handsets for a recheck has the recipe and the people for it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path

import apsw

from benchd.config.config_sections import RecipesSettings
from benchd.config.http_section import expiry_issues
from benchd.config.load import load_settings, place_of
from benchd.config.parsed_toml import Document, read_document
from benchd.config.recipes import recipe_files
from benchd.config.settings import Settings
from benchd.domain.authority import Action, has_role
from benchd.domain.errors import BenchdError, ConfigInvalid, ConfigIssue
from benchd.domain.job import StageName
from benchd.domain.people import Person
from benchd.ledger.reader import LedgerReader
from benchd.people.person_change import fold

_OF_PEOPLE = "WHERE kind = 'person_changed' ORDER BY sequence"
TOO_FEW = (
    "a recheck needs three people: one who works on the handset (operator or supervisor), another"
    " who confirms it and a third who rechecks it (both confirmers); make them with"
    " `benchd people add` or `benchd people role`, or set 0"
)


def check_config(path: Path) -> tuple[ConfigIssue, ...]:
    """Every mistake of a configuration file and its recipes in order of place, or none."""
    try:
        checked_settings(path)
    except ConfigInvalid as invalid:
        return invalid.issues
    return ()


def checked_settings(path: Path) -> Settings:
    """As `load_settings`, and strict about what a rack would still go on with."""
    settings = load_settings(path)
    document = read_document(path, str(path))
    now = datetime.now(UTC)
    issues = [
        *expiry_issues(document, settings.http, now),
        *recheck_issues(recipes_in(document, path), settings, now),
    ]
    if issues:
        raise ConfigInvalid(tuple(sorted(issues, key=place_of)))
    return settings


def recipes_in(document: Document, path: Path) -> Path:
    """Where the recipes of a configuration without mistakes are."""
    default: object = RecipesSettings.model_fields["directory"].default
    return path.parent / str(document.table("recipes").get("directory", default))


def recheck_issues(directory: Path, settings: Settings, now: datetime) -> Iterator[ConfigIssue]:
    """What would leave each drawn handset on hold for ever, at the share that draws it."""
    drawing = [name for name, recipe in settings.recipes.items() if recipe.recheck_share > 0]
    if not drawing:
        return
    stages = {spec.name for recipe in settings.recipes.values() for spec in recipe.stages}
    people = _people_of(settings.ledger.path)
    for file in recipe_files(directory):
        if file.stem not in drawing:
            continue
        document = read_document(file, str(file))
        if StageName.CERTIFY_DRAWN not in stages:
            message = "no recipe has certify_drawn: add drawn_recheck.toml and a slot with it"
            yield document.issue(("recheck_share",), message)
        if people is not None and not has_staff(people, now):
            yield document.issue(("recheck_share",), TOO_FEW)


def has_staff(people: Collection[Person], now: datetime) -> bool:
    """Whether three of them can do it, each another part."""
    there = [person for person in people if not person.is_disabled(now)]
    confirmers = {person.id for person in there if has_role(person.roles, Action.CONFIRM)}
    return any(
        len(confirmers - {person.id}) > 1
        for person in there
        if has_role(person.roles, Action.ANSWER) and has_role(person.roles, Action.ATTEST)
    )


def _people_of(ledger: Path) -> list[Person] | None:
    """Everybody on record; None where there is no ledger yet, or it isn't for these eyes."""
    if not ledger.is_file():
        return None
    try:
        reader = LedgerReader(ledger)
    except apsw.Error:
        return None
    try:
        return list(fold(reader.select(_OF_PEOPLE)).values())
    except (apsw.Error, BenchdError):
        return None
    finally:
        reader.close()
