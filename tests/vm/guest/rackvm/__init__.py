"""Handsets on virtual USB ports: real kernel, real udev, real file systems; only phones are missing."""
