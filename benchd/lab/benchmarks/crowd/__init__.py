"""A crowd of handsets in one cheap process, at the adb server's door: what the daemon itself costs.

It plays handsets, it proves nothing about one. docs/adr/0051-the-crowd.md says what it is for.
"""
