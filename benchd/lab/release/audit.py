"""Whether a pinned package has a known vulnerability: `scripts/audit`.

pip-audit asks; what it answers is judged here. A network that isn't there makes nothing red, and
nothing green either: then it says that nobody has looked.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from benchd.domain.errors import BenchdError

ACCEPTED: Final = Path(__file__).with_name("vulnerabilities.toml")
"""What may stay; the file says how it is written."""
_DEADLINE_S: Final = 300.0
_NO_NETWORK: Final = re.compile(
    r"\b(\w*ConnectionError|\w*Timeout|ProxyError|SSLError|HTTPError|ServiceError)\b"
)
"""What pip-audit's last line names where its source can't be reached."""


class AuditFailed(BenchdError):
    """Raised when pip-audit fails for another reason than the network."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """A vulnerability that somebody has looked at: why it may stay, and until when."""

    package: str
    because: str
    until: date


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found, to be printed."""

    lines: tuple[str, ...]
    is_red: bool


def accepted_in(file: Path) -> dict[str, Accepted]:
    """The vulnerabilities that may stay, by their ids.

    Raises:
        AuditFailed: An entry lacks its package, its reason or its date.
    """
    entries: dict[str, Any] = tomllib.loads(file.read_text(encoding="utf-8"))
    accepted: dict[str, Accepted] = {}
    for name, entry in entries.items():
        match entry:
            case {"package": str(package), "because": str(because), "until": date() as until} if (
                because.strip() and type(until) is date and len(entry) == 3
            ):
                accepted[name] = Accepted(package, because, until)
            case _:
                raise AuditFailed(f"{file}: [{name}] needs package, because and until (a date)")
    return accepted


def judged(report: str, accepted: dict[str, Accepted], today: date) -> Verdict:
    """What pip-audit's report as JSON means."""
    packages: list[dict[str, Any]] = json.loads(report)["dependencies"]
    unknown = [str(package["name"]) for package in packages if "skip_reason" in package]
    lines: list[str] = []
    is_red = False
    if len(unknown) == len(packages):
        lines.append("NOT CHECKED: the source of known vulnerabilities answers for no package here")
    elif unknown:
        lines.append(f"not checked, unknown to the source: {', '.join(unknown)}")
    met: set[str] = set()
    for package in packages:
        for hole in package.get("vulns", ()):
            names = {str(hole["id"]), *map(str, hole.get("aliases", ()))}
            told = f"{package['name']} {package['version']}: {', '.join(sorted(names))}"
            known = {
                name: accepted[name]
                for name in names & accepted.keys()
                if accepted[name].package == package["name"]
            }
            met |= known.keys()
            stays = [each for each in known.values() if today <= each.until]
            if stays:
                lines.append(f"accepted until {stays[0].until}: {told}: {stays[0].because}")
                continue
            is_red = True
            mended = ", ".join(hole.get("fix_versions", ())) or "none yet"
            over = ", no longer accepted" if known else ""
            lines.append(f"VULNERABLE{over}: {told}; mended in: {mended}")
    if not unknown:
        lines += [f"listed, but found no more: {name}" for name in sorted(accepted.keys() - met)]
    if not lines:
        lines.append(f"none of {len(packages)} packages has a known vulnerability")
    return Verdict(tuple(lines), is_red)


def read(asked: subprocess.CompletedProcess[str], accepted: dict[str, Accepted]) -> Verdict:
    """What a run of pip-audit means.

    Raises:
        AuditFailed: It has failed, and not for want of a network.
    """
    if asked.stdout.strip():
        return judged(asked.stdout, accepted, datetime.now(UTC).date())
    last = (asked.stderr.strip().splitlines() or [""])[-1]
    found = _NO_NETWORK.search(last)
    if found is None:
        raise AuditFailed(f"pip-audit has failed:\n{asked.stderr}")
    return Verdict((f"NOT CHECKED: the source can't be reached ({found[1]})",), is_red=False)


def main() -> None:
    """Ask about the pins in the file that is named."""
    [pins] = sys.argv[1:]
    command = [sys.executable, "-m", "pip_audit", "--requirement", pins, "--require-hashes"]
    command += ["--disable-pip", "--format", "json", "--progress-spinner", "off"]
    try:
        accepted = accepted_in(ACCEPTED)
        asked = subprocess.run(
            command, capture_output=True, text=True, timeout=_DEADLINE_S, check=False
        )
        verdict = read(asked, accepted)
    except subprocess.TimeoutExpired:
        verdict = Verdict(("NOT CHECKED: the source doesn't answer in time",), is_red=False)
    except BenchdError as error:
        verdict = Verdict((str(error),), is_red=True)
    print("\n".join(verdict.lines))  # noqa: T201
    sys.exit(verdict.is_red)


if __name__ == "__main__":
    main()
