"""`scripts/manual-tables`: the tables that the manuals have of scenarios, recipes and commands.

Each is made from what the code knows and stands in its page between two marks; a test compares.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

import typer
from typer.core import TyperCommand, TyperGroup

from benchd.lab.simulator.scenario import ExpectedEnd
from benchd.lab.simulator.scenarios import SCENARIOS

ROOT: Final = Path(__file__).parents[2]
BEGIN: Final = "<!-- made by scripts/manual-tables -->"
END: Final = "<!-- up to here -->"
MORE: Final[Mapping[str, str]] = {
    "assets": "[lots](lots.md)",
    "bench": "[figures](benchmarks.md)",
    "certificate": "[certificate](certificate.md)",
    "demo": "[demo](demo.md)",
    "disposal": "[records](records.md)",
    "doctor": "[service](service.md#doctor)",
    "drain": "[service](service.md#upgrade)",
    "felica": "[FeliCa](felica.md)",
    "handset": "[dossiers](dossiers.md), [fresh pictures](fresh-pictures.md)",
    "hooks": "[hooks](hooks.md)",
    "key": "[keys](keys.md)",
    "label": "[labels](labels.md)",
    "ledger": "[backup](service.md#backup), [recovery](runbooks/recovery.md)",
    "log-level": "[service](service.md#look)",
    "grade": "[battery and grade](grades.md)",
    "lots": "[lots](lots.md)",
    "models": "[models](models.md)",
    "papers": "[lots](lots.md)",
    "pause": "[service](service.md#upgrade)",
    "people": "[people](people.md)",
    "records": "[records](records.md)",
    "report": "[records](records.md)",
    "tokens": "[API](api.md)",
    "trace": "[traces](traces.md)",
}
"""The page that says more of a command or its group."""


def scenarios() -> Iterator[str]:
    """What `scripts/demo` can play, and how each must end."""
    yield from ("| scenario | what it is | must end as |", "|---|---|---|")
    for name, scenario in SCENARIOS.items():
        yield f"| `{name}` | {scenario.story} | {_words_of(scenario.end)} |"


def _words_of(end: ExpectedEnd) -> str:
    reason = [f"`{end.reason}`"] if end.reason else []
    return ", ".join([end.outcome, end.disposition, *reason])


def recipes() -> Iterator[str]:
    """The recipes that come along, by what their files say of themselves."""
    yield from ("| recipe | what for | its stages | ends as |", "|---|---|---|---|")
    for file in sorted((ROOT / "configs" / "recipes").glob("*.toml")):
        text = file.read_text(encoding="utf-8")
        recipe = tomllib.loads(text)
        about = text.partition("\n#\n")[0].replace("\n# ", " ").removeprefix("# ")
        about = re.sub(r"docs/(\S+?)\.md", r"[\1](\1.md)", about)
        stages = ", ".join(f"`{stage['name']}`" for stage in recipe["stage"])
        # Without `ends_as` a certificate is the only good end.
        end = recipe.get("ends_as")
        yield f"| `{file.stem}` | {about} | {stages} | {f'`{end}`' if end else 'certified'} |"


def commands(app: TyperGroup) -> Iterator[str]:
    """Every command, in the words of its own help."""
    yield from ("| command | what for | more |", "|---|---|---|")
    for words, command in sorted(_leaves(app)):
        usage = command.collect_usage_pieces(typer.Context(command))
        arguments = [re.sub(r"[{}]", "", piece).upper() for piece in usage if piece != "[OPTIONS]"]
        line = " ".join(["benchd", *words, *arguments]).replace("|", r"\|")
        told = " ".join((command.help or "").partition("\n\n")[0].split()).replace(r"\[", "[")
        yield f"| `{line}` | {told} | {MORE.get(words[0], '')} |"


def _leaves(group: TyperGroup, *words: str) -> Iterator[tuple[tuple[str, ...], TyperCommand]]:
    for name, inner in group.commands.items():
        if isinstance(inner, TyperGroup):
            yield from _leaves(inner, *words, name)
        elif isinstance(inner, TyperCommand):
            yield (*words, name), inner


def tables(app: TyperGroup) -> Mapping[str, Iterable[str]]:
    """Each page that has such a table, and its lines; the command comes from above this room."""
    return {
        "docs/commands.md": commands(app),
        "docs/demo.md": scenarios(),
        "docs/recipes.md": recipes(),
    }


def with_table(text: str, lines: Iterable[str]) -> str:
    """A page with this table between its marks; ValueError for a page without them."""
    head, begin, rest = text.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        message = f"the page needs a line {BEGIN!r} and then a line {END!r}"
        raise ValueError(message)
    return "\n".join([head + begin, "", *lines, "", end + tail])


def write(app: TyperGroup) -> None:
    """Write each table into its page."""
    for name, lines in tables(app).items():
        page = ROOT / name
        page.write_text(with_table(page.read_text(encoding="utf-8"), lines), encoding="utf-8")
