"""`benchd slots learn`: which port and which reader is which slot, shown by hand."""

from benchd.commands.learning.command import learn_slots

__all__ = ["learn_slots"]
