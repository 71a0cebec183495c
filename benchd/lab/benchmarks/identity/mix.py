"""How often what happens at a dealer's: assumed openly, counted nowhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

PER: Final = 10_000
"""All is told per so many visits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mix:
    """Shares of 1, of whatever is named."""

    # Handsets.
    untold: float = 0.45
    """Tell adb no IMEI."""
    two_numbers: float = 0.65
    tells_one_of_two: float = 0.67
    """Of those with two that tell adb any: which one, differs from visit to visit."""
    sim_slots_told: float = 0.9
    no_serial: float = 0.04
    shared_serial: float = 0.003
    """Have a serial that others have: half of them a shipped filler, half one that nobody lists."""
    no_chip: float = 0.1
    clone: float = 0.0005
    """Tell the numbers of another handset that was here."""
    one_model_lots: float = 1 / 3
    models: int = 40

    # Papers and lists.
    paper_serial: float = 0.5
    late_lot: float = 0.05
    """Imported a day after its handsets were plugged in."""
    listed: float = 0.004
    """On the watch list under one number."""

    # Visits.
    without_reader: float = 0.3
    tied: float = 0.6
    """Of the chips that a reader sees."""
    wrong_tie: float = 0.003
    """Of those: to the neighbour's chip."""
    held: float = 0.08
    """End on HOLD for a chip that isn't unused, or drawn, and come again instead of being
    rechecked."""
    doomed: float = 0.015
    doomed_again: float = 0.1
    """Of those: plugged in once more, looking well."""
    sold_again: float = 0.05
    """Of those sold: come back with papers of another lot."""
    altered: float = 0.003
    """Of those sold: come back with other numbers, or with another board."""

    # People.
    wrong_scan: float = 0.01
    """Of the bar codes: the neighbour's."""
    label_scanned: float = 0.6
    """Of the handsets that tell adb no IMEI: into the note beside the number."""
    wrong_label: float = 0.005
    slip: float = 0.5
    """Of altered handsets: a repair slip lies with them."""
    operator_right: float = 0.95
    supervisor_right: float = 0.98
