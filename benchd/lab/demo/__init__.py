"""The demo: the daemon on a virtual rack, with operators who answer through the public API."""

from benchd.lab.demo.lot import run_lot_demo
from benchd.lab.demo.run import run_demo

__all__ = ["run_demo", "run_lot_demo"]
