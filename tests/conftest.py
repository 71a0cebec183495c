"""What holds for every test."""

import asyncio


def pytest_configure() -> None:
    """Say that the main thread has no event loop, so that none is made by asking for it.

    looptime 0.9 asks before each test, sync ones too; Python then warns and makes a loop
    that nobody closes.
    """
    asyncio.set_event_loop(None)
