"""Which program a handset gets: by its lists of ABIs, of both widths."""

from __future__ import annotations

import pytest
from handset_fakes import FakeShell, said

from benchd.android.fill.processors import Processors, read_abis
from benchd.errors import AnswerNotRecognised, UnsupportedHandset

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
    processors = Processors(shell)
    assert await processors.abis() == await processors.abis() == ("arm64-v8a",)
    assert len(shell.commands) == 1
