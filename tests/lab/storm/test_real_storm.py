"""A short storm over real sockets and processes: every job ends as it must, nobody is shut out."""

from __future__ import annotations

import pytest

from benchd.lab.storm.real import run_real

PATIENCE = 10.0
"""Others may have this machine's cores; what is promised of a quiet one is looked at nightly."""

pytestmark = pytest.mark.asyncio


@pytest.mark.slow
@pytest.mark.timeout(300)
async def test_a_rack_at_work_holds_in_a_real_storm() -> None:
    assert await run_real(1, 4.0, 8, strangers=60, patience=PATIENCE) == []
