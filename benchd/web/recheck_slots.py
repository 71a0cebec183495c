"""Where a certified handset is looked at again before a sale, told where it is needed."""

from __future__ import annotations

from typing import Final

from benchd.domain.job import Disposition, StageName
from benchd.domain.slot import SlotView
from benchd.papers.lots.shipping import ShippingDesk
from benchd.slots.board import RackBoard
from benchd.texts.catalogue import Catalogue
from benchd.texts.templates import Texts

SHIPPED: Final = "recheck"
"""The recipe that benchd brings for it, where the rack has none."""
_BEFORE_ANYTHING_IS_CHANGED: Final = frozenset(
    {StageName.INSPECT, StageName.GATES, StageName.FELICA_CHECK}
)


class RecheckSlots:
    """The slots whose recipe is such a look; a reload changes them."""

    def __init__(self, board: RackBoard, shipping: ShippingDesk, catalogue: Catalogue) -> None:
        self._board = board
        self._shipping = shipping
        self._catalogue = catalogue

    def where(self) -> Texts:
        """Where one goes that nobody has looked at, or what to do where no slot is for it."""
        return self._told("recheck_at.slot", "recheck_at.slot_nowhere")

    def instead(self, view: SlotView) -> Texts | None:
        """What whoever wants no second erasure does, while nothing has been changed yet.

        None where the handset in the slot has no certificate, or isn't about to be erased.
        """
        earlier = view.earlier
        if earlier is None or earlier.disposition is not Disposition.SELLABLE:
            return None
        is_look = view.recipe in self._shipping.good_for_days
        if is_look or view.stage not in _BEFORE_ANYTHING_IS_CHANGED:
            return None
        return self._told("recheck_at.earlier", "recheck_at.earlier_nowhere")

    def _told(self, there: str, nowhere: str) -> Texts:
        recipes = self._shipping.good_for_days
        slots = [name for name, view in self._board.views().items() if view.recipe in recipes]
        key = there if slots else nowhere
        return self._catalogue.recheck_at(key, slots, next(iter(recipes), SHIPPED))
