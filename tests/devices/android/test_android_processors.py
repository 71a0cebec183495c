"""Which program a handset gets: by its lists of ABIs, of both widths."""

from __future__ import annotations

import pytest
from handset_fakes import FakeShell, said

from benchd.devices.android.fill.processors import Processors, read_abis
from benchd.devices.android.shell.script import Answer
from benchd.domain.errors import AnswerNotRecognised, UnsupportedHandset

pytestmark = [pytest.mark.asyncio, pytest.mark.looptime]


@pytest.mark.parametrize(
    ("text", "abis"),
    [
        # Both widths: source.android.com, "64-bit ABIs"; the lists as a Pixel 3 prints them.
        (
            "arm64-v8a\narmeabi-v7a,armeabi\narm64-v8a,armeabi-v7a,armeabi\narm64-v8a\n",
            ("arm64-v8a", "armeabi-v7a"),
        ),
        # 64 bits only: peridot's list of 32 is empty.
        ("arm64-v8a\n\narm64-v8a\narm64-v8a\n", ("arm64-v8a",)),
        # 32 bits only, also on a processor that could do more: constructed.
        ("\narmeabi-v7a,armeabi\narmeabi-v7a,armeabi\narmeabi-v7a\n", ("armeabi-v7a",)),
        # A system whose preferred ABI is the narrower one: constructed.
        ("x86_64\nx86\nx86_64,x86\nx86\n", ("x86_64", "x86")),
        # Neither list by width: constructed.
        ("\n\n\narmeabi-v7a\n", ("armeabi-v7a",)),
        ("arm64-v8a\r\n\r\narm64-v8a\r\narm64-v8a\r\n", ("arm64-v8a",)),
        ("riscv64,arm64-v8a\n\n\n\n", ("arm64-v8a",)),
    ],
)
async def test_those_of_64_bits_come_first(text: str, abis: tuple[str, ...]) -> None:
    assert read_abis(text) == abis


async def test_what_no_program_is_built_for_is_unsupported() -> None:
    with pytest.raises(UnsupportedHandset, match="riscv64"):
        read_abis("riscv64\n\nriscv64\nriscv64\n")


@pytest.mark.parametrize("text", ["", "\n\n\n\n", "arm64 v8a\n", "a;b\n", "x" * 33, ",,\n"])
async def test_what_is_no_list_is_refused(text: str) -> None:
    with pytest.raises(AnswerNotRecognised):
        read_abis(text)


async def test_a_handset_is_asked_once() -> None:
    shell = FakeShell()
    shell.on("getprop ro.product.cpu.abilist64; getprop", *said("arm64-v8a\n\n\n\n"))
    processors = Processors(shell, {})
    assert await processors.abis() == await processors.abis() == ("arm64-v8a",)
    assert len(shell.commands) == 1


LISTED = """[ro.product.board]: [kona]
[ro.product.cpu.abi]: [arm64-v8a]
[ro.product.cpu.abilist]: [arm64-v8a,armeabi-v7a,armeabi]
[ro.product.cpu.abilist32]: [armeabi-v7a,armeabi]
[ro.product.cpu.abilist64]: [arm64-v8a]
"""


def heard(text: str, status: int = 0) -> dict[str, Answer]:
    return {"properties": Answer(command="getprop", status=status, text=text)}


@pytest.mark.parametrize(
    "text",
    [
        LISTED,
        LISTED.replace("\n", "\r\n"),
        "".join(reversed(LISTED.splitlines(keepends=True))),
        LISTED.replace("[ro.product.cpu.abi]: [arm64-v8a]\n", ""),
    ],
)
async def test_what_lists_all_properties_is_not_asked_for_some(text: str) -> None:
    shell = FakeShell()
    assert await Processors(shell, heard(text)).abis() == ("arm64-v8a", "armeabi-v7a")
    assert shell.commands == []


async def test_a_listed_abi_of_one_width_only_is_told_as_by_name() -> None:
    text = LISTED.replace("[armeabi-v7a,armeabi]", "[]").replace(",armeabi-v7a,armeabi", "")
    assert await Processors(FakeShell(), heard(text)).abis() == ("arm64-v8a",)


@pytest.mark.parametrize(
    "told",
    [
        {},
        heard("[ro.product.board]: [kona]\n"),
        heard(LISTED, status=1),
        heard("[ro.product.cpu.abi]: [armeabi-v7a]\n"),
        heard("[ro.product.cpu.abilist]: []\n[ro.product.cpu.abilist64]: []\n"),
        heard("[ro.product.cpu.abilist]: [arm"),
    ],
    ids=["nothing", "others", "a failure", "no list", "empty lists", "half a list"],
)
async def test_what_is_not_listed_is_asked_for(told: dict[str, Answer]) -> None:
    shell = FakeShell()
    shell.on("getprop ro.product.cpu.abilist64; getprop", *said("arm64-v8a\n\n\n\n"))
    assert await Processors(shell, told).abis() == ("arm64-v8a",)
    assert len(shell.commands) == 1


async def test_a_listed_abi_that_is_none_is_refused() -> None:
    with pytest.raises(AnswerNotRecognised):
        await Processors(FakeShell(), heard(LISTED.replace("arm64-v8a", "arm64 v8a"))).abis()


async def test_what_is_heard_later_counts_too() -> None:
    told: dict[str, Answer] = {}
    processors = Processors(FakeShell(), told)
    told |= heard(LISTED)
    assert await processors.abis() == ("arm64-v8a", "armeabi-v7a")
