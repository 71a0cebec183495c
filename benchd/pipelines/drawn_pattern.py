"""Draws in which order a handset's NFC is switched."""

from __future__ import annotations

from benchd.ports import Entropy
from benchd.proof.tie import is_pattern, pattern_of


def drawn_pattern(entropy: Entropy) -> tuple[bool, ...]:
    """One of those that a proof takes, each as likely as the other."""
    while True:
        pattern = pattern_of(entropy.token(1))
        if is_pattern(pattern):
            return pattern
