"""A toy kind of device, in tests alone: a USB stick that is overwritten twice and read back whole.

All that a kind of device takes is in here, and its profile in `profile.py`.
"""
