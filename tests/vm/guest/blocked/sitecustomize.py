"""Lets a test block the daemon's loop: SIGUSR2 is answered by a function that never returns."""

import signal


def never_return(*_: object) -> None:
    """What a mistake in the loop's own code would look like."""
    while True:
        pass


signal.signal(signal.SIGUSR2, never_return)
