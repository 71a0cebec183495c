"""Plug events of the rack's USB ports, from udev."""

from benchd.hotplug.source import UdevHotplug
from benchd.hotplug.suggest import unknown_port_line

__all__ = ["UdevHotplug", "unknown_port_line"]
