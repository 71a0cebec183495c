"""Handsets on virtual USB ports: real kernel, udev and file systems; only phones are missing."""
