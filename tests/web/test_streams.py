"""Streams of one source or person share how often they look at the board."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from benchd.web.streams import MOST_OF_ONE, Streams


@pytest.mark.asyncio
async def test_the_more_streams_one_has_the_less_often_each_tells() -> None:
    streams = Streams()
    with ExitStack() as held:
        held.enter_context(streams.one_of("another"))
        for _ in range(2):
            held.enter_context(streams.one_of("a shop"))
        assert streams.interval_s("a shop") == 0.1
        for _ in range(MOST_OF_ONE):
            held.enter_context(streams.one_of("a shop"))
        assert streams.interval_s("a shop") == pytest.approx(MOST_OF_ONE / 25)
        assert streams.interval_s("another") == streams.interval_s("nobody") == 0.1
