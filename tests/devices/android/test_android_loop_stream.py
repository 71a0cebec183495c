"""A stream that stays switched on: nothing of what came is lost, and who isn't read has to wait."""

from __future__ import annotations

import errno
import socket
from collections.abc import AsyncGenerator, Awaitable, Generator
from contextlib import contextmanager
from dataclasses import dataclass

import anyio
import anyio.lowlevel
import pytest
import pytest_asyncio

from benchd.devices.android.server.loop_stream import READ_BYTES, LoopStream

pytestmark = pytest.mark.asyncio

MOST_BYTES_OF_AN_UNREAD_END = 16 << 20
"""What the kernel takes of both ends, and the pieces that are read ahead, with room."""


@dataclass
class Ends:
    """A stream, and the socket at its other end."""

    stream: LoopStream
    peer: socket.socket


@pytest_asyncio.fixture
async def ends() -> AsyncGenerator[Ends]:
    opened, peer = socket.socketpair()
    opened.setblocking(False)
    with peer:
        peer.setblocking(False)
        stream = await LoopStream.over(opened)
        yield Ends(stream, peer)
        stream.close()
        await anyio.wait_all_tasks_blocked()


@contextmanager
def soon() -> Generator[None]:
    with anyio.fail_after(10):
        yield


async def sent_unread(peer: socket.socket) -> int:
    """How many bytes the peer gets rid of while nobody reads them."""
    taken = 0
    for _ in range(4):
        try:
            while taken < MOST_BYTES_OF_AN_UNREAD_END:
                taken += peer.send(b"x" * READ_BYTES)
        except BlockingIOError:
            pass
        for _ in range(50):
            await anyio.lowlevel.checkpoint()
    return taken


async def received_all(stream: LoopStream, size_bytes: int) -> bytes:
    with soon():
        return await stream.receive_exactly(size_bytes)


async def test_answers_come_as_they_were_sent_though_nobody_waited_for_them(ends: Ends) -> None:
    for number in range(100):
        ends.peer.sendall(b"%06d" % number)
        await anyio.lowlevel.checkpoint()
    assert await received_all(ends.stream, 600) == b"".join(b"%06d" % one for one in range(100))


async def test_question_and_answer_many_times_over(ends: Ends) -> None:
    for number in range(1_000):
        with soon():
            await ends.stream.send(b"%04d" % number)
            assert ends.peer.recv(4) == b"%04d" % number
            ends.peer.sendall(b"%06d" % number)
            assert await ends.stream.receive() == b"%06d" % number


async def test_an_end_is_told_after_all_that_came_before_it(ends: Ends) -> None:
    ends.peer.sendall(b"the last words")
    ends.peer.shutdown(socket.SHUT_WR)
    await anyio.wait_all_tasks_blocked()
    with soon():
        assert await ends.stream.receive(8) == b"the last"
        assert await ends.stream.receive() == b" words"
        for _ in range(2):
            with pytest.raises(anyio.EndOfStream):
                await ends.stream.receive()
        await ends.stream.send(b"what is still to be said")
    assert ends.peer.recv(99) == b"what is still to be said"


async def test_what_came_before_a_connection_broke_is_given_first(ends: Ends) -> None:
    ends.peer.sendall(b"the exit code")
    with soon():
        first = await ends.stream.receive(3)
    # Who ends without having read all of it ends out of order.
    await ends.stream.send(b"unread")
    ends.peer.close()
    await anyio.wait_all_tasks_blocked()
    with soon():
        assert first + await ends.stream.receive() == b"the exit code"
        for _ in range(2):
            with pytest.raises(anyio.BrokenResourceError) as broken:
                await ends.stream.receive()
            assert isinstance(broken.value.__cause__, OSError)
            assert broken.value.__cause__.errno == errno.ECONNRESET
        with pytest.raises(anyio.BrokenResourceError):
            await ends.stream.send(b"anybody?")


async def test_whoever_is_not_read_has_to_wait(ends: Ends) -> None:
    taken = await sent_unread(ends.peer)
    assert taken < MOST_BYTES_OF_AN_UNREAD_END
    assert await received_all(ends.stream, taken) == b"x" * taken
    # And he is read on where he had to wait.
    ends.peer.sendall(b"more")
    assert await received_all(ends.stream, 4) == b"more"


async def test_a_receive_that_is_given_up_loses_nothing(ends: Ends) -> None:
    for word in (b"first", b"second", b"third"):
        with anyio.move_on_after(0):
            await ends.stream.receive()
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ends.stream.receive)
            await anyio.wait_all_tasks_blocked()
            # It has come and is about to be told when its receiver is given up.
            ends.peer.sendall(word)
            tasks.cancel_scope.cancel()
        assert await received_all(ends.stream, len(word)) == word


async def test_an_exact_number_of_bytes_leaves_the_rest_and_does_not_make_do_with_fewer(
    ends: Ends,
) -> None:
    ends.peer.sendall(b"0006answer0099cut")
    assert await received_all(ends.stream, 4) == b"0006"
    assert await received_all(ends.stream, 6) == b"answer"
    assert await received_all(ends.stream, 0) == b""
    assert await received_all(ends.stream, 4) == b"0099"
    ends.peer.shutdown(socket.SHUT_WR)
    with soon(), pytest.raises(anyio.IncompleteRead):
        await ends.stream.receive_exactly(99)


async def test_more_than_the_system_takes_is_sent_as_it_is_read(ends: Ends) -> None:
    data = bytes(range(256)) * (64 << 10)
    got = bytearray()

    async def read() -> None:
        while len(got) < len(data):
            await anyio.wait_readable(ends.peer)
            got.extend(ends.peer.recv(1 << 20))

    with soon():
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ends.stream.send, data)
            await anyio.wait_all_tasks_blocked()
            tasks.start_soon(read)
    assert got == data


async def ended_by(work: Awaitable[object], fault: type[Exception]) -> None:
    with pytest.raises(fault):
        await work


async def test_a_send_that_waits_ends_when_the_other_end_breaks(ends: Ends) -> None:
    sent = ends.stream.send(b"x" * MOST_BYTES_OF_AN_UNREAD_END)
    with soon():
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ended_by, sent, anyio.BrokenResourceError)
            await anyio.wait_all_tasks_blocked()
            ends.peer.close()


async def test_closing_ends_a_receive_and_gives_the_socket_back(ends: Ends) -> None:
    raw = ends.stream.raw_socket
    with soon():
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(ended_by, ends.stream.receive(), anyio.ClosedResourceError)
            await anyio.wait_all_tasks_blocked()
            with pytest.raises(anyio.BusyResourceError):
                await ends.stream.receive()  # two cannot read at once
            ends.stream.close()
            ends.stream.close()
        with pytest.raises(anyio.ClosedResourceError):
            await ends.stream.send(b"late")
        assert raw.fileno() == -1
        await anyio.wait_readable(ends.peer)
    assert ends.peer.recv(1) == b""
