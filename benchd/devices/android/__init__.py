"""Handsets over adb: the server, the shell, the facts, the overwrite."""
