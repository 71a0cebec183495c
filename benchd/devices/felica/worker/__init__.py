"""The readers of one pcscd in a process of their own, and the daemon's end of it."""
