"""`benchd doctor` on the command line: a line for each finding, its cure below."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from benchd.cli.daemon_client import show
from benchd.cli.doctor.findings import Verdict
from benchd.cli.messages import Fact, both, language, say
from benchd.cli.options import DEFAULT_CONFIG, ConfigOption, JsonOption
from benchd.domain.plain_text import printable
from benchd.texts.catalogue import Texts
from benchd.texts.templates import LONGEST_SAID

if TYPE_CHECKING:
    from benchd.cli.doctor.findings import Finding
    from benchd.domain.ids import JsonObject

INSTALLED: Final = Path("/usr/local/share/benchd")
"""Where the pages and examples that a cure names are put; a checkout has them in itself."""
_NAMED: Final = re.compile(
    r"(?<![\w/.])(?:docs/[\w/-]+\.md|configs/prometheus/rules)(?!\w)", re.ASCII
)
_COMMAND: Final = re.compile(
    r"(?<=[`「])(?=(?:apt|benchd|chgrp|chmod|chown|cp|findmnt|install|journalctl|kill|ls|mount|mv"
    r"|ss|systemctl|udevadm) [^\s」`])"
    r"|(?<=; )(?=benchd )"
)
"""Where a command of a cure begins, which is quoted in both languages; a second after a `;`."""
_AND: Final = {"ja": "、", "en": ", "}
_COLOUR: Final = {
    Verdict.OK: typer.colors.GREEN,
    Verdict.WARN: typer.colors.YELLOW,
    Verdict.FAIL: typer.colors.RED,
    Verdict.NOT_CHECKED: typer.colors.CYAN,
}


def doctor(config: ConfigOption = DEFAULT_CONFIG, json_output: JsonOption = False) -> None:
    """Look at everything that the rack needs, and say what to do; changes nothing.

    Exits with 1 if anything fails. What couldn't be looked at is never called ok: as root
    most can.
    """
    from benchd.cli.client import SOCKET_VARIABLE
    from benchd.cli.doctor.examination import Instruments, examine

    named = os.environ.get(SOCKET_VARIABLE)
    found = examine(config, Path(named) if named else None, Instruments())
    told: JsonObject = {"checks": [_object(each) for each in found]}
    show(json_output, told, lambda: _tell(found))
    raise typer.Exit(exit_code(found))


def exit_code(found: Iterable[Finding]) -> int:
    """1 if anything fails, else 0: what wants mending one day keeps nobody from working."""
    return int(any(each.verdict is Verdict.FAIL for each in found))


def _object(finding: Finding) -> JsonObject:
    cure = None if finding.cure is None else cured(finding.cure, finding.facts)
    return {
        "check": finding.check.removeprefix("check."),
        "verdict": finding.verdict.value,
        "found": finding.word.removeprefix("doctor."),
        **_texts(both(finding.word, **finding.facts)),
        "cure": None if cure is None else _texts(cure),
    }


def cured(cure: str, facts: Mapping[str, Fact], manuals: Path = INSTALLED) -> Texts:
    """What to do, in both languages, as it's typed, naming pages where they lie on this machine."""
    told = both(cure, **facts)
    return Texts(ja=_typed(_placed(told.ja, manuals)), en=_typed(_placed(told.en, manuals)))


def _typed(text: str) -> str:
    """Its commands as whoever asks types them; the next command of a sudo(8) isn't root's."""
    if os.geteuid() == 0 and "SUDO_UID" not in os.environ:
        return text
    return _COMMAND.sub("sudo ", text)


def _placed(text: str, folder: Path = INSTALLED) -> str:
    """The same, with the whole path of each page and example that lies in this folder."""

    def whole(named: re.Match[str]) -> str:
        path = folder / named[0]
        return str(path) if path.exists() else named[0]

    return _NAMED.sub(whole, text)


def _texts(texts: Texts) -> dict[str, str]:
    return {"ja": texts.ja, "en": texts.en}


def _tell(found: Iterable[Finding]) -> None:
    for (verdict, line, cure), checks in _folded(found).items():
        coloured = typer.style(say(f"verdict.{verdict}"), fg=_COLOUR[verdict])
        named = _AND[language()].join(checks)
        typer.echo(f"[{coloured}] {printable(f'{named}: {line}', LONGEST_SAID)}")
        if cure is not None:
            typer.echo(f"    → {printable(cure, LONGEST_SAID)}")


def _folded(
    found: Iterable[Finding],
) -> Mapping[tuple[Verdict, str, str | None], Sequence[str]]:
    """What is to be told, each once and where it came first, with all that it is told of."""
    told: dict[tuple[Verdict, str, str | None], list[str]] = {}
    for each in found:
        cure = None if each.cure is None else cured(each.cure, each.facts).to(language())
        line = (each.verdict, say(each.word, **each.facts), cure)
        checks, check = told.setdefault(line, []), say(each.check)
        if check not in checks:
            checks.append(check)
    return told
