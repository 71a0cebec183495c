"""Plug events of the rack's USB ports, from udev."""

from benchd.hotplug.usb_source import UdevHotplug

__all__ = ["UdevHotplug"]
