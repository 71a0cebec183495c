from __future__ import annotations

import pytest

from benchd.intake.intake_desk import IntakeDesk
from benchd.intake.intake_store import IntakeStore
from tests.core.world import CountingEntropy, MemoryLedger, SteppingClock
from tests.intake.lots import Intake, right_time


@pytest.fixture
def intake() -> Intake:
    ledger = MemoryLedger()
    store = IntakeStore(ledger, SteppingClock(), right_time(ledger, SteppingClock()))
    return Intake(ledger=ledger, store=store, desk=IntakeDesk(store, CountingEntropy()))
