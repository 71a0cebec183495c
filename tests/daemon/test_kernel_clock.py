"""What the kernel says of this machine's clock."""

from __future__ import annotations

from benchd.daemon.kernel_clock import TIMESYNCD, is_synchronised, read_clock


def test_a_reading_is_within_what_the_kernel_allows() -> None:
    reading = read_clock()
    if reading is None:
        # A container in which the kernel may not be asked.
        assert is_synchronised() is (True if TIMESYNCD.exists() else None)
        return
    assert is_synchronised() is reading.synchronised
    # adjtimex(2): half a second at most is still to be made up for.
    assert abs(reading.offset_s) <= 0.5
    assert reading.largest_error_s >= 0
