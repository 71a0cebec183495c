"""`benchd slots learn`: which port and which reader is which slot, shown by hand."""

from benchd.cli.learning.learn_command import learn_slots

__all__ = ["learn_slots"]
