"""External tools: real programs that do well, badly, or what no program should."""

from __future__ import annotations

import json
import signal
from dataclasses import replace
from pathlib import Path

import anyio
import pytest
from provider_rig import CODES, IDENTITY, ORDER, tool

from benchd.devices.felica.providers.external_tool import command_for, external_tool
from benchd.devices.felica.providers.kinds import OptionRefused
from benchd.domain.clear import ClearOutcome

pytestmark = pytest.mark.asyncio

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


async def test_a_code_that_isnt_in_the_table_is_fatal(tmp_path: Path) -> None:
    claim = await tool(tmp_path, "raise SystemExit(77)").clear(ORDER)
    assert claim.outcome is ClearOutcome.FATAL
    assert "not in exit_codes" in claim.detail


async def test_a_tool_that_crashes_may_be_tried_again(tmp_path: Path) -> None:
    script = "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"
    claim = await tool(tmp_path, script).clear(ORDER)
    assert claim.outcome is ClearOutcome.RETRYABLE
    assert f"signal {signal.SIGSEGV.value}" in claim.detail


async def test_a_tool_that_isnt_there_is_fatal(tmp_path: Path) -> None:
    provider = external_tool(
        "tool", {"command": ["./missing"], "exit_codes": {"0": "done"}}, tmp_path
    )()
    claim = await provider.clear(ORDER)
    assert claim.outcome is ClearOutcome.FATAL
    assert "can't be started" in claim.detail


async def test_the_facts_arrive_each_as_one_argument_and_no_shell_reads_them(
    tmp_path: Path,
) -> None:
    hostile = replace(IDENTITY, model="$(touch x) ; {serial}\n\x1b[31m")
    script = "import json, sys; json.dump(sys.argv[2:], open(sys.argv[1], 'w'))"
    said = tmp_path / "said.json"
    facts = ("--model={model}", "{slot}", "{imei}", "{consent}")
    provider = tool(tmp_path, script, str(said), *facts)
    await provider.clear(replace(ORDER, identity=hostile))
    assert json.loads(said.read_text()) == [
        "--model=$(touch x) ; {serial} [31m",
        "A1",
        "490154203237518",
        "佐藤",
    ]
    assert sorted(file.name for file in tmp_path.iterdir()) == ["said.json", "tool.py"]


async def test_what_a_handset_says_cant_be_an_option(tmp_path: Path) -> None:
    hostile = replace(ORDER, identity=replace(IDENTITY, serial="--erase-host"))
    claim = await tool(tmp_path, "raise SystemExit(0)", "{serial}").clear(hostile)
    assert claim.outcome is ClearOutcome.FATAL
    assert command_for(("x", "--serial={serial}"), hostile) == ("x", "--serial=--erase-host")


async def test_the_report_number_is_read_from_the_output(tmp_path: Path) -> None:
    script = "print('x' * 100000); print('Report No. AB-123')"
    claim = await tool(tmp_path, script, report=r"^Report No\. (\S+)$").clear(ORDER)
    assert (claim.outcome, claim.report) == (ClearOutcome.DONE, "AB-123")


async def test_done_without_the_report_number_is_for_a_person_to_look_at(tmp_path: Path) -> None:
    claim = await tool(tmp_path, "print('done!')", report=r"^Report No\. (\S+)$").clear(ORDER)
    assert claim.outcome is ClearOutcome.NEEDS_OPERATOR
    assert "without a report number" in claim.detail


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


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({}, "command"),
        ({"command": []}, "command"),
        ({"command": "rm -rf"}, "command"),
        ({"command": ["x", "{passwd}"]}, "command"),
        ({"command": ["{model}"]}, "command"),
        ({"command": ["x"]}, "exit_codes"),
        ({"command": ["x"], "exit_codes": {"0": "fine"}}, "exit_codes"),
        ({"command": ["x"], "exit_codes": {"x": "done"}}, "exit_codes"),
        ({"command": ["x"], "exit_codes": {"256": "done"}}, "exit_codes"),
        ({"command": ["x"], "exit_codes": {"1": "fatal"}}, "exit_codes"),
        ({"command": ["x"], "exit_codes": CODES, "report": "("}, "report"),
        ({"command": ["x"], "exit_codes": CODES, "report": "none"}, "report"),
        ({"command": ["x"], "exit_codes": CODES, "report": 3}, "report"),
        ({"command": ["x"], "exit_codes": CODES, "timeout_s": 0}, "timeout_s"),
        ({"command": ["x"], "exit_codes": CODES, "timeout_s": True}, "timeout_s"),
        ({"command": ["x"], "exit_codes": CODES, "needs_login": "no"}, "needs_login"),
        ({"command": ["x"], "exit_codes": CODES, "comand": 1}, "comand"),
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
