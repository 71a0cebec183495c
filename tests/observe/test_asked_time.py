"""How much of an attempt a question was open, by times that are given."""

from __future__ import annotations

from benchd.domain.job import Gate
from benchd.observe.record_metrics import AskedTime


def test_two_questions_at_once_take_their_time_only_once() -> None:
    asked = AskedTime()
    asked.begin(Gate.CONSENT, 10)
    asked.begin(Gate.JPKI, 20)
    assert asked.end(Gate.CONSENT, 40) == 30
    assert asked.end(Gate.JPKI, 50) == 30
    asked.begin(Gate.NETWORK, 70)
    assert asked.end(Gate.NETWORK, 75) == 5
    assert asked.close(100) == 45


def test_a_question_that_nobody_answers_counts_until_its_attempt_ends() -> None:
    asked = AskedTime()
    asked.begin(Gate.GUIDED_RESET, 10)
    assert asked.close(60) == 50
    assert asked.close(90) == 0
    assert asked.end(Gate.GUIDED_RESET, 95) is None
