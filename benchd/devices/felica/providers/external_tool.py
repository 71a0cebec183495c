"""A program on this machine clears the chip: a licensed tool, told by its command line."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Final, cast

from benchd.devices.felica.providers.kinds import OptionRefused
from benchd.devices.felica.providers.provider_program import Ended, Program, Said
from benchd.domain.clear_provider import (
    ClearCapabilities,
    ClearClaim,
    ClearMethod,
    ClearOrder,
    ClearOutcome,
)
from benchd.domain.handset import HandsetIdentity
from benchd.domain.plain_text import printable

DEFAULT_TIMEOUT_S: Final = 600.0
LONGEST_TIMEOUT_S: Final = 24 * 3600.0
KILL_TIME_S: Final = 10.0
"""How much longer it is waited for than the program may run."""
LONGEST_DETAIL: Final = 160
LONGEST_REPORT: Final = 64
LONGEST_ARGUMENT: Final = 256

_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")
_FACTS: Final[Mapping[str, Callable[[ClearOrder], str]]] = MappingProxyType(
    {
        "slot": lambda order: order.slot,
        "job": lambda order: order.job,
        "manufacturer": lambda order: order.identity.manufacturer,
        "model": lambda order: order.identity.model,
        "android": lambda order: order.identity.android,
        "build": lambda order: order.identity.build,
        "serial": lambda order: order.identity.serial,
        "imei": lambda order: order.identity.imei or "",
        "consent": lambda order: order.consent,
    }
)
_FLAGS: Final = ("needs_network", "needs_login", "irreversible")
TOOL_OPTIONS: Final = ("command", "exit_codes", "report", "timeout_s", *_FLAGS)
"""The keys of this kind in the configuration, beside `kind`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolOptions:
    """What the configuration says of a tool."""

    command: tuple[str, ...]
    exit_codes: Mapping[int, ClearOutcome]
    report: re.Pattern[str] | None
    timeout_s: float
    needs_network: bool
    needs_login: bool
    irreversible: bool


class ExternalTool:
    """One run of the program for one order."""

    def __init__(self, name: str, options: ToolOptions) -> None:
        self._name = name
        self._options = options
        self._program = Program()

    def capabilities(self, identity: HandsetIdentity) -> ClearCapabilities:  # noqa: ARG002
        """The tool itself says what it can't do, by its exit code."""
        return ClearCapabilities(
            methods=frozenset({ClearMethod.TOOL}),
            needs_network=self._options.needs_network,
            needs_login=self._options.needs_login,
            irreversible=self._options.irreversible,
            max_s=self._options.timeout_s + KILL_TIME_S,
        )

    async def clear(self, order: ClearOrder) -> ClearClaim:
        """Run the program; its exit code is the claim."""
        try:
            command = command_for(self._options.command, order)
        except ValueError as refused:
            return self._claim(ClearOutcome.FATAL, str(refused))
        try:
            said = await self._program.run(command, within_s=self._options.timeout_s)
        except OSError as failure:
            why = failure.strerror or failure
            return self._claim(ClearOutcome.FATAL, f"it can't be started: {why}")
        return self._judge(said)

    async def abort(self) -> None:
        """Kill the program and all that it has started."""
        self._program.kill()

    def _judge(self, said: Said) -> ClearClaim:
        ending = {
            Ended.TOO_LATE: f"killed after {self._options.timeout_s:g} s",
            Ended.TOO_LOUD: "killed: its output had no end",
            Ended.BY_SIGNAL: f"ended by signal {-said.status}",
            Ended.BY_ITSELF: f"exit code {said.status}",
        }[said.ended]
        last = printable(said.last_line, LONGEST_DETAIL)
        detail = f"{ending}: {last}" if last else ending
        if said.ended is Ended.TOO_LOUD:
            return self._claim(ClearOutcome.FATAL, detail)
        if said.ended is not Ended.BY_ITSELF:
            return self._claim(ClearOutcome.RETRYABLE, detail)
        outcome = self._options.exit_codes.get(said.status)
        code = str(said.status)
        if outcome is None:
            unknown = f"{detail} (not in exit_codes)"
            return self._claim(ClearOutcome.FATAL, unknown, code=code)
        report = self._report(said.output)
        if outcome is ClearOutcome.DONE and self._options.report is not None and report is None:
            # The dealer relies on that number; a person has to look it up, or do it again.
            return self._claim(
                ClearOutcome.NEEDS_OPERATOR, f"{detail} (without a report number)", code=code
            )
        return self._claim(outcome, detail, code=code, report=report)

    def _report(self, output: str) -> str | None:
        if self._options.report is None:
            return None
        found = self._options.report.search(output)
        number = printable(found[1], LONGEST_REPORT) if found else ""
        return number or None

    def _claim(
        self,
        outcome: ClearOutcome,
        detail: str,
        *,
        code: str | None = None,
        report: str | None = None,
    ) -> ClearClaim:
        return ClearClaim(
            provider=self._name, outcome=outcome, detail=detail, vendor_code=code, report=report
        )


def command_for(template: tuple[str, ...], order: ClearOrder) -> tuple[str, ...]:
    """The arguments with the placeholders filled in once, each staying one argument.

    Raises ValueError where what a handset says of itself would pass for an option.
    """

    def fact(found: re.Match[str]) -> str:
        return printable(_FACTS[found[1]](order), LONGEST_ARGUMENT)

    filled: list[str] = []
    for part in template:
        argument = _PLACEHOLDER.sub(fact, part)
        if argument.startswith("-") and not part.startswith("-"):
            message = f"what stands for {part} begins with a dash and would pass for an option"
            raise ValueError(message)
        filled.append(argument)
    return tuple(filled)


def external_tool(
    name: str, options: Mapping[str, object], folder: Path
) -> Callable[[], ExternalTool]:
    """The factory of this kind; raises OptionRefused."""
    for key in options:
        if key not in TOOL_OPTIONS:
            raise OptionRefused(key, f"unknown key (allowed here: {', '.join(TOOL_OPTIONS)})")
    flags = {flag: _flag(flag, options.get(flag, flag == "irreversible")) for flag in _FLAGS}
    return partial(
        ExternalTool,
        name,
        ToolOptions(
            command=_command(options.get("command"), folder),
            exit_codes=_exit_codes(options.get("exit_codes")),
            report=_pattern(options.get("report")),
            timeout_s=_timeout(options.get("timeout_s", DEFAULT_TIMEOUT_S)),
            needs_network=flags["needs_network"],
            needs_login=flags["needs_login"],
            irreversible=flags["irreversible"],
        ),
    )


def _command(value: object, folder: Path) -> tuple[str, ...]:
    parts = cast("list[object]", value) if isinstance(value, list) else []
    words = tuple(part for part in parts if isinstance(part, str) and "\0" not in part)
    if not words or len(words) != len(parts) or not words[0]:
        raise OptionRefused("command", 'allowed is an array of texts, ["program", "argument"]')
    for word in words:
        for found in _PLACEHOLDER.findall(word):
            if found not in _FACTS:
                raise OptionRefused(
                    "command", f"unknown placeholder {{{found}}} (allowed: {', '.join(_FACTS)})"
                )
    if _PLACEHOLDER.search(words[0]):
        raise OptionRefused("command", "the program itself can't have a placeholder")
    program = str(folder / words[0]) if "/" in words[0] else words[0]
    return (program, *words[1:])


def _exit_codes(value: object) -> Mapping[int, ClearOutcome]:
    table = cast("dict[str, object]", value) if isinstance(value, dict) else {}
    codes: dict[int, ClearOutcome] = {}
    for code, outcome in table.items():
        if not re.fullmatch(r"\d{1,3}", code) or int(code) > 255:
            raise OptionRefused("exit_codes", f"{printable(code)}: allowed is a code up to 255")
        if outcome not in list(ClearOutcome):
            raise OptionRefused(
                "exit_codes", f"{code}: allowed is one of {', '.join(ClearOutcome)}"
            )
        codes[int(code)] = ClearOutcome(outcome)
    if ClearOutcome.DONE not in codes.values():
        raise OptionRefused("exit_codes", "at least one code has to mean done")
    return MappingProxyType(codes)


def _pattern(value: object) -> re.Pattern[str] | None:
    if value is None:
        return None
    try:
        pattern = re.compile(value if isinstance(value, str) else "(", re.MULTILINE)
    except re.error as error:
        raise OptionRefused("report", f"allowed is a regular expression: {error}") from error
    if pattern.groups != 1:
        raise OptionRefused("report", "allowed is a regular expression with one group, the number")
    return pattern


def _timeout(value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        seconds = float(value)
        if 0 < seconds <= LONGEST_TIMEOUT_S:
            return seconds
    raise OptionRefused("timeout_s", f"allowed is a number up to {LONGEST_TIMEOUT_S:.0f}")


def _flag(key: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise OptionRefused(key, "allowed is true or false")
    return value
