"""Plug events of the rack's USB ports, from udev."""

from benchd.hotplug.usb_port_events import UdevHotplug

__all__ = ["UdevHotplug"]
