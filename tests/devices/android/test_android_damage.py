"""Damaged answers are refused or read as dirty as they were; nothing else is ever raised."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from damage_subjects import SUBJECTS, Subject

from benchd.domain.errors import AnswerNotRecognised

EACH = 2_000
EACH_BY_NIGHT = 100_000


def damaged(subjects: tuple[Subject, ...], number: int, seed: str) -> tuple[int, int]:
    """How many damaged answers were refused, and how many read."""
    draw = random.Random(seed)
    whole = [subject.dirt(subject.text) for subject in subjects]
    refused = read = 0
    for count in range(number):
        place = count % len(subjects)
        subject = subjects[place]
        harm = draw.choice(subject.damages)
        text = harm(subject.text, draw)
        try:
            dirt = subject.dirt(text)
        except AnswerNotRecognised:
            refused += 1
            continue
        read += 1
        assert dirt >= whole[place], f"{harm.__name__} made it cleaner: {text!r}"
    return refused, read


@pytest.mark.parametrize("kind", SUBJECTS)
def test_damage_never_cleans(kind: str) -> None:
    refused, read = damaged(SUBJECTS[kind], EACH, kind)
    assert refused + read == EACH


@pytest.mark.nightly
@pytest.mark.parametrize("kind", SUBJECTS)
def test_damage_never_cleans_however_often(
    kind: str, record_property: Callable[[str, object], None]
) -> None:
    refused, read = damaged(SUBJECTS[kind], EACH_BY_NIGHT, f"{kind} by night")
    record_property("refused", refused)
    assert refused + read == EACH_BY_NIGHT
