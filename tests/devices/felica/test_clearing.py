"""From an order to a claim, whatever a provider does: fakes, and external tools that are real."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import anyio
import pytest
from anyio.abc import Process

from benchd.devices.felica.clearing import clear_with
from benchd.devices.felica.providers import Carrier, ClearRule, carrier_of
from benchd.devices.felica.providers.carrier_rules import choose
from benchd.devices.felica.providers.external_tool import ExternalTool, command_for, external_tool
from benchd.devices.felica.providers.kinds import OptionRefused
from benchd.devices.felica.providers.operator import OperatorProvider
from benchd.devices.felica.reader_settings import FelicaSettings
from benchd.domain.clear_provider import (
    ClearCapabilities,
    ClearClaim,
    ClearMethod,
    ClearOrder,
    ClearOutcome,
)
from benchd.domain.handset import HandsetIdentity
from benchd.domain.ids import JobId, SlotName
from benchd.domain.ports import ClearProvider

IDENTITY = HandsetIdentity(
    serial="S3R1AL",
    manufacturer="Sony",
    model="SO-51B",
    android="14",
    build="build",
    imei="490154203237518",
)
ORDER = ClearOrder(job=JobId("job-1"), slot=SlotName("A1"), identity=IDENTITY, consent="佐藤")
CODES: dict[str, object] = {
    "0": "done",
    "2": "already_initial",
    "3": "unsupported",
    "4": "needs_operator",
    "5": "retryable",
    "6": "fatal",
}


def tool(folder: Path, script: str, *arguments: str, **options: object) -> ExternalTool:
    """A provider that runs this Python script."""
    file = folder / "tool.py"
    file.write_text(script)
    command = [sys.executable, str(file), *arguments]
    options = {"command": command, "exit_codes": CODES, **options}
    return external_tool("tool", options, folder)()


pytestmark = pytest.mark.asyncio

DONE = ClearClaim(provider="p", outcome=ClearOutcome.DONE, detail="done")


@dataclass
class FakeProvider:
    """Says what it is told to say."""

    claim: Callable[[], ClearClaim] = lambda: DONE
    methods: frozenset[ClearMethod] = frozenset({ClearMethod.TOOL})
    max_s: float = 60
    aborts: list[str] = field(default_factory=list)
    began: anyio.Event = field(default_factory=anyio.Event)
    for_ever: bool = False

    def capabilities(self, identity: HandsetIdentity) -> ClearCapabilities:
        return ClearCapabilities(
            methods=self.methods,
            needs_network=False,
            needs_login=False,
            irreversible=True,
            max_s=self.max_s,
        )

    async def clear(self, order: ClearOrder) -> ClearClaim:
        self.began.set()
        if self.for_ever:
            await anyio.sleep_forever()
        return self.claim()

    async def abort(self) -> None:
        self.aborts.append("aborted")


def settings(provider: ClearProvider, *rules: ClearRule) -> FelicaSettings:
    return FelicaSettings(
        providers={"p": lambda: provider}, rules=rules or (ClearRule(provider="p"),)
    )


async def test_what_a_provider_says_is_the_claim_bounded_and_printable() -> None:
    provider = FakeProvider()
    assert await clear_with(settings(provider), ORDER) == DONE
    assert provider.aborts == []
    loud = replace(DONE, provider="other", detail="\x1b[2J" + "A" * 9999, report="\x00" * 9)
    claim = await clear_with(settings(FakeProvider(claim=lambda: loud)), ORDER)
    assert (claim.provider, claim.report) == ("p", None)
    assert claim.detail.isprintable()
    assert len(claim.detail) <= 200


async def test_without_a_rule_that_fits_or_a_provider_that_can_nothing_is_cleared() -> None:
    other_brand = ClearRule(provider="p", brand="Sharp")
    claim = await clear_with(settings(FakeProvider(), other_brand), ORDER)
    assert (claim.outcome, claim.provider) == (ClearOutcome.UNSUPPORTED, "")
    provider = FakeProvider(methods=frozenset())
    assert (await clear_with(settings(provider), ORDER)).outcome is ClearOutcome.UNSUPPORTED
    assert not provider.began.is_set(), "it isn't even asked"


def raising(fault: Exception) -> Callable[[], ClearClaim]:
    def claim() -> ClearClaim:
        raise fault

    return claim


NO_CLAIMS: dict[str, Callable[[], object]] = {
    "the provider raised ValueError": raising(ValueError("serial S3R1AL")),
    "the provider raised SystemError": raising(SystemError()),
    "the provider raised TimeoutError": raising(TimeoutError()),
    "the provider raised ExceptionGroup": raising(ExceptionGroup("x", [KeyError("y")])),
    "none": lambda: None,
    "a word": lambda: "done",
    "another outcome": lambda: replace(DONE, outcome="erased"),  # pyright: ignore[reportArgumentType]
}


@pytest.mark.parametrize("case", NO_CLAIMS)
async def test_a_provider_that_raises_or_claims_nonsense_makes_a_fatal_claim(case: str) -> None:
    provider = FakeProvider(claim=NO_CLAIMS[case])  # pyright: ignore[reportArgumentType]
    made = await clear_with(settings(provider), ORDER)
    assert made.outcome is ClearOutcome.FATAL
    if "raised" in case:
        assert made.detail == case
        assert provider.aborts == ["aborted"]


async def test_a_provider_that_takes_too_long_or_whose_handset_is_unplugged_is_aborted() -> None:
    provider = FakeProvider(for_ever=True, max_s=0.05)
    claim = await clear_with(settings(provider), ORDER)
    assert claim.outcome is ClearOutcome.RETRYABLE
    assert provider.aborts == ["aborted"]
    provider = FakeProvider(for_ever=True)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(clear_with, settings(provider), ORDER)
        await provider.began.wait()
        tasks.cancel_scope.cancel()
    assert provider.aborts == ["aborted"]


async def test_the_operator_is_asked_at_once() -> None:
    claim = await clear_with(settings(OperatorProvider("p")), ORDER)
    assert claim.outcome is ClearOutcome.NEEDS_OPERATOR


@pytest.mark.parametrize(
    ("model", "carrier"),
    [
        ("SO-51B", Carrier.DOCOMO),
        ("F-51B", Carrier.DOCOMO),
        ("SOG04", Carrier.KDDI),
        ("KYV48", Carrier.KDDI),
        ("A101SH", Carrier.SOFTBANK),
        ("803SH", Carrier.SOFTBANK),
        ("Pixel 8", Carrier.OTHER),
        ("XQ-CC44", Carrier.OTHER),
        ("", Carrier.OTHER),
    ],
)
async def test_the_carrier_follows_from_the_model_number(model: str, carrier: Carrier) -> None:
    assert carrier_of(model) is carrier


async def test_the_first_rule_that_fits_chooses() -> None:
    rules = (
        ClearRule(provider="place", slots=frozenset({SlotName("B1")})),
        ClearRule(provider="model", model="so-5?a"),
        ClearRule(provider="brand", brand="SONY", carrier=Carrier.DOCOMO),
        ClearRule(provider="rest"),
    )
    assert choose(rules, SlotName("A1"), IDENTITY) == "brand"
    assert choose(rules, SlotName("B1"), IDENTITY) == "place"
    assert choose(rules, SlotName("A1"), replace(IDENTITY, model="SO-52A")) == "model"
    assert choose(rules, SlotName("A1"), replace(IDENTITY, manufacturer="Sharp")) == "rest"
    assert choose(rules[:3], SlotName("A1"), replace(IDENTITY, manufacturer="Sharp")) is None


LEAVES_A_CHILD = """\
import subprocess, sys
child = subprocess.Popen(["sleep", "1000"])
print(child.pid, flush=True)
{then}
"""


@pytest.mark.parametrize(("code", "outcome"), CODES.items())
async def test_each_exit_code_means_what_the_table_says(
    tmp_path: Path, code: str, outcome: str
) -> None:
    claim = await tool(tmp_path, f"raise SystemExit({code})").clear(ORDER)
    assert claim.outcome == outcome
    assert (claim.provider, claim.vendor_code, claim.report) == ("tool", code, None)


SEGFAULT = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"
REPORT = r"^Report No\. (\S+)$"


@pytest.mark.parametrize(
    ("script", "options", "outcome", "says"),
    [
        ("raise SystemExit(77)", {}, ClearOutcome.FATAL, "not in exit_codes"),
        (SEGFAULT, {}, ClearOutcome.RETRYABLE, f"signal {signal.SIGSEGV.value}"),
        ("", {"command": ["./missing"]}, ClearOutcome.FATAL, "can't be started"),
        (
            "print('done!')",
            {"report": REPORT},
            ClearOutcome.NEEDS_OPERATOR,
            "without a report number",
        ),
    ],
    ids=["another code", "crash", "no program", "done without its report"],
)
async def test_a_tool_that_does_not_do_well(
    tmp_path: Path, script: str, options: dict[str, object], outcome: ClearOutcome, says: str
) -> None:
    claim = await tool(tmp_path, script, **options).clear(ORDER)
    assert claim.outcome is outcome
    assert says in claim.detail


async def test_the_facts_arrive_each_as_one_argument_and_no_shell_reads_them(
    tmp_path: Path,
) -> None:
    hostile = replace(IDENTITY, model="$(touch x) ; {serial}\n\x1b[31m")
    script = "import json, sys; json.dump(sys.argv[2:], open(sys.argv[1], 'w'))"
    said = tmp_path / "said.json"
    facts = ("--model={model}", "{slot}", "{imei}", "{consent}")
    await tool(tmp_path, script, str(said), *facts).clear(replace(ORDER, identity=hostile))
    arrived = ["--model=$(touch x) ; {serial} [31m", "A1", "490154203237518", "佐藤"]
    assert json.loads(said.read_text()) == arrived
    assert sorted(file.name for file in tmp_path.iterdir()) == ["said.json", "tool.py"]


async def test_what_a_handset_says_cant_be_an_option(tmp_path: Path) -> None:
    hostile = replace(ORDER, identity=replace(IDENTITY, serial="--erase-host"))
    claim = await tool(tmp_path, "raise SystemExit(0)", "{serial}").clear(hostile)
    assert claim.outcome is ClearOutcome.FATAL
    assert command_for(("x", "--serial={serial}"), hostile) == ("x", "--serial=--erase-host")


async def test_the_report_number_is_read_from_the_output(tmp_path: Path) -> None:
    script = "print('x' * 100000); print('Report No. AB-123')"
    claim = await tool(tmp_path, script, report=REPORT).clear(ORDER)
    assert (claim.outcome, claim.report) == (ClearOutcome.DONE, "AB-123")


async def test_hostile_output_is_made_printable_and_bounded(tmp_path: Path) -> None:
    evil = b"\x1b[2J\xff\x00evil\xe2\x80\xae" + b"A" * 9999
    script = f"import sys; sys.stderr.buffer.write({evil!r})"
    claim = await tool(tmp_path, script).clear(ORDER)
    assert claim.detail.isprintable()
    assert len(claim.detail) < 200
    assert "evil" in claim.detail


async def test_a_tool_that_takes_too_long_is_killed_with_all_it_has_started(
    tmp_path: Path,
) -> None:
    script = LEAVES_A_CHILD.format(then="import time; time.sleep(1000)")
    provider = tool(tmp_path, script, timeout_s=1.5)
    with anyio.fail_after(30):
        claim = await provider.clear(ORDER)
    assert claim.outcome is ClearOutcome.RETRYABLE
    assert "killed after 1.5 s" in claim.detail
    await until_dead(int(claim.detail.rpartition(" ")[2]))


async def test_a_child_that_a_tool_leaves_behind_neither_delays_nor_outlives_it(
    tmp_path: Path,
) -> None:
    script = LEAVES_A_CHILD.format(then="raise SystemExit(0)")
    with anyio.fail_after(30):
        claim = await tool(tmp_path, script, report=r"^(\d+)$").clear(ORDER)
    assert claim.outcome is ClearOutcome.DONE
    assert claim.report is not None
    await until_dead(int(claim.report))


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
async def test_output_without_an_end_is_cut_off(tmp_path: Path, stream: str) -> None:
    script = f"import sys\nwhile True: sys.{stream}.write('boom' * 65536)"
    with anyio.fail_after(45):
        claim = await tool(tmp_path, script).clear(ORDER)
    assert claim.outcome is ClearOutcome.FATAL
    assert "no end" in claim.detail
    assert len(claim.detail) < 250


async def test_cancelling_kills_the_tool(tmp_path: Path) -> None:
    script = LEAVES_A_CHILD.format(
        then=f"open({str(tmp_path / 'pid')!r}, 'w').write(str(child.pid)); child.wait()"
    )
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(tool(tmp_path, script).clear, ORDER)
        with anyio.fail_after(30):
            while not pid_in(tmp_path / "pid"):  # noqa: ASYNC110 - no event to wait for
                await anyio.sleep(0.02)
        tasks.cancel_scope.cancel()
    await until_dead(int(pid_in(tmp_path / "pid")))


async def test_cancelling_while_the_tool_starts_kills_what_it_has_begun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file, started, opened = tmp_path / "pid", anyio.Event(), anyio.open_process

    async def slowly(command: list[str], **options: Any) -> Process:  # noqa: ANN401 - passed on
        process = await opened(command, **options)
        started.set()
        with anyio.fail_after(30):
            while not pid_in(file):  # noqa: ASYNC110 - no event to wait for
                await anyio.sleep(0.02)
        return process

    monkeypatch.setattr(anyio, "open_process", slowly)
    script = LEAVES_A_CHILD.format(
        then=f"open({str(file)!r}, 'w').write(str(child.pid)); child.wait()"
    )
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(tool(tmp_path, script).clear, ORDER)
        await started.wait()
        tasks.cancel_scope.cancel()
    with anyio.fail_after(30):
        while not pid_in(file):  # noqa: ASYNC110 - no event to wait for
            await anyio.sleep(0.02)
    await until_dead(int(pid_in(file)))


async def test_a_tool_whose_start_does_not_end_is_told_with_its_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def never(*_: object, **_options: object) -> Process:
        await anyio.sleep_forever()
        raise AssertionError

    monkeypatch.setattr(anyio, "open_process", never)
    monkeypatch.setattr("benchd.devices.felica.providers.provider_program.STARTS_WITHIN_S", 0.01)
    claim = await tool(tmp_path, "").clear(ORDER)
    assert claim.outcome is ClearOutcome.FATAL
    assert "can't be started: it took more than" in claim.detail


WITH_CODES = {"command": ["x"], "exit_codes": CODES}


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({}, "command"),
        ({"command": []}, "command"),
        ({"command": "rm -rf"}, "command"),
        ({"command": ["x", "{passwd}"]}, "command"),
        ({"command": ["{model}"]}, "command"),
        ({"command": ["x"]}, "exit_codes"),
        *(
            ({"command": ["x"], "exit_codes": codes}, "exit_codes")
            for codes in ({"0": "fine"}, {"x": "done"}, {"256": "done"}, {"1": "fatal"})
        ),
        *((WITH_CODES | {"report": report}, "report") for report in ("(", "none", 3)),
        *((WITH_CODES | {"timeout_s": limit}, "timeout_s") for limit in (0, True)),
        (WITH_CODES | {"needs_login": "no"}, "needs_login"),
        (WITH_CODES | {"comand": 1}, "comand"),
    ],
)
async def test_mistakes_in_the_options_are_told_at_their_key(
    tmp_path: Path, options: dict[str, object], key: str
) -> None:
    with pytest.raises(OptionRefused) as refused:
        external_tool("tool", options, tmp_path)
    assert refused.value.key == key


def pid_in(file: Path) -> str:
    return file.read_text() if file.exists() else ""


async def until_dead(pid: int) -> None:
    """A killed process is a zombie until its new parent has looked."""
    with anyio.fail_after(30):
        while alive(pid):  # noqa: ASYNC110 - no event to wait for
            await anyio.sleep(0.02)


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
