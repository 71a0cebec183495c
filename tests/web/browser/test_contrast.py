"""How faint a word is, by its pixels."""

from __future__ import annotations

import pytest
from contrast import MARK, contrast, worst

BLACK, WHITE, GREY = (0, 0, 0), (255, 255, 255), (119, 119, 119)


def blended(over: tuple[int, ...], colour: tuple[int, ...], share: float) -> tuple[int, ...]:
    return tuple(round(b + share * (c - b)) for b, c in zip(over, colour, strict=True))


def painted(
    bare: tuple[int, ...], colour: tuple[int, ...], share: float = 1.0
) -> tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]]:
    """A pixel of which a letter of this colour covers so much."""
    return blended(bare, MARK, share), bare, blended(bare, colour, share)


def test_contrast_is_that_of_wcag() -> None:
    assert contrast(BLACK, WHITE) == pytest.approx(21)
    assert contrast(GREY, WHITE) == pytest.approx(4.48, abs=0.01)
    assert contrast(GREY, GREY) == 1


def test_the_stripe_that_a_word_is_read_worst_on_counts() -> None:
    stripes = [painted(BLACK, WHITE), painted(GREY, WHITE), painted(BLACK, WHITE)]
    assert worst(stripes) == pytest.approx(4.48, abs=0.01)


def test_the_edges_of_letters_dont_count() -> None:
    assert worst([painted(BLACK, WHITE), painted(BLACK, WHITE, 0.3)]) == pytest.approx(21)


def test_what_is_beneath_a_word_of_its_own_colour_counts() -> None:
    assert worst([painted(BLACK, WHITE), painted(WHITE, WHITE)]) == 1


def test_letters_that_are_seen_through_are_as_faint_as_they_look() -> None:
    assert worst([painted(WHITE, BLACK, 0.4)]) == pytest.approx(
        contrast(WHITE, (153, 153, 153)), abs=0.01
    )


def test_where_no_letter_is_nothing_was_measured() -> None:
    assert worst([(BLACK, BLACK, BLACK)]) is None
