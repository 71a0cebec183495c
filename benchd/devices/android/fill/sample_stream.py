"""One shell on a handset that reads blocks as it is asked for them, one request at a time.

A request goes in on stdin, and only when the one before it has been answered: the handset knows
no place earlier than with a shell for each. All of an answer comes on stdout, where nothing
passes anything else, between two lines with a mark that is new for each request: nothing that
was sent before the request, or for another one, can be taken for its answer.
docs/adr/0023-the-second-look.md.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Final

import anyio

from benchd.devices.android.fill.program_on_handset import CACHE_PATH, FILL_DIRECTORY
from benchd.devices.android.fill.sample_blocks import BLOCK_BYTES, SAMPLE_DEADLINE_S, SampleBlocks
from benchd.devices.android.shell.commands import CommandStream, Completed, Shell
from benchd.devices.android.shell.packets import Exit
from benchd.domain.errors import AnswerNotRecognised

MOST_REPORT_BYTES: Final = 1024
"""What an answer may take beside the blocks, its marks and all that is said on stderr with it."""
LONGEST_END_BYTES: Final = 64
_CODE: Final = re.compile(rb"([0-9]{1,3})\n")
_FILE: Final = f'{FILL_DIRECTORY}/"$file"'
_LOOK: Final = f'{_FILE} "$at" "$bytes" < /dev/null'
READ_EACH: Final = f"""\
while read -r mark file at bytes first count; do
echo "$mark"
{CACHE_PATH} empty {_LOOK} &&
dd if={_FILE} bs={BLOCK_BYTES} skip="$first" count="$count" < /dev/null 2> /dev/null
code=$?
{CACHE_PATH} count {_LOOK}
echo "$mark $code"
done
"""
"""Nothing that a handset or a person has said is in it; of `dd` only what every Android has."""
READ_BLOCKS: Final = f"{READ_EACH}exit 0"


def _fresh_mark() -> str:
    return secrets.token_hex(8)


class SampleStream:
    """The shell's two ends; whoever reads is alone with it."""

    def __init__(self, running: CommandStream, fresh_mark: Callable[[], str] = _fresh_mark) -> None:
        self._running = running
        self._fresh_mark = fresh_mark

    async def read(self, part: SampleBlocks) -> Completed:
        """What was said and read for these blocks, and how `dd` ended, in at most a minute.

        Raises AnswerNotRecognised for more bytes than that can be, and for bytes that aren't this
        answer's; HandsetStalled for none.
        """
        mark = self._fresh_mark()
        try:
            with anyio.fail_after(SAMPLE_DEADLINE_S):
                await self._running.send(_request(mark, part))
                return await self._answer(mark.encode(), part.most_bytes + MOST_REPORT_BYTES)
        except TimeoutError as late:
            detail = f"no sample within {SAMPLE_DEADLINE_S:.0f} s"
            raise await self._running.stalled(detail) from late

    async def first(self, end: bytes, most_bytes: int, within_s: float) -> Completed:
        """What its shell says before it reads, up to a line of `end` and how that ended."""
        try:
            with anyio.fail_after(within_s):
                return await self._until(end, b"", most_bytes)
        except TimeoutError as late:
            raise await self._running.stalled(f"nothing within {within_s:.0f} s") from late

    async def _answer(self, mark: bytes, most_bytes: int) -> Completed:
        # The line that ends an answer is new with it, so the blocks can't hold it.
        return await self._until(mark + b" ", mark + b"\n", most_bytes)

    async def _until(self, end: bytes, head: bytes, most_bytes: int) -> Completed:
        said, complained = bytearray(), bytearray()
        while True:
            event = await self._running.receive()
            if isinstance(event, Exit):
                raise AnswerNotRecognised(f"its shell for samples has ended (code {event.code})")
            (complained if event.is_error else said).extend(event.data)
            if len(said) + len(complained) > most_bytes:
                raise AnswerNotRecognised(f"a sample of more than {most_bytes} bytes")
            if not head.startswith(said[: len(head)]):
                raise AnswerNotRecognised(
                    "what a handset sends isn't the sample that was asked for"
                )
            place = said.rfind(end, max(0, len(said) - LONGEST_END_BYTES))
            if place >= 0 and (code := _CODE.fullmatch(said, place + len(end))):
                return Completed(
                    exit_code=int(code[1]),
                    stdout=bytes(said[len(head) : place]),
                    stderr=bytes(complained),
                )

    async def end(self, most_bytes: int = 0) -> bytes:
        """Let the shell end; until it has said so, nothing that it has answered counts.

        It is what the shell says at its end, of which it may say so much.
        """
        said, complained_bytes = bytearray(), 0
        try:
            with anyio.fail_after(SAMPLE_DEADLINE_S):
                await self._running.close_stdin()
                while not isinstance(event := await self._running.receive(), Exit):
                    if event.is_error:
                        complained_bytes += len(event.data)
                    else:
                        said += event.data
                    if len(said) > most_bytes or complained_bytes > MOST_REPORT_BYTES:
                        raise AnswerNotRecognised("a handset sends what nobody has asked for")
        except TimeoutError as late:
            raise await self._running.stalled("its shell for samples doesn't end") from late
        if event.code != 0:
            raise AnswerNotRecognised(f"its shell for samples has ended (code {event.code})")
        return bytes(said)


@asynccontextmanager
async def sample_stream(
    shell: Shell, fresh_mark: Callable[[], str] = _fresh_mark
) -> AsyncGenerator[SampleStream]:
    """A shell for the length of the block, which ends well only if the shell has."""
    async with shell.stream(READ_BLOCKS) as running:
        stream = SampleStream(running, fresh_mark)
        yield stream
        await stream.end()


def _request(mark: str, part: SampleBlocks) -> bytes:
    at = part.first * BLOCK_BYTES
    return f"{mark} {part.name} {at} {part.most_bytes} {part.first} {part.count}\n".encode()
