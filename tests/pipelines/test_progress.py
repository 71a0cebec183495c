"""What a transfer's reports say of its share, its rate and the time left."""

from __future__ import annotations

from benchd.domain.fill import TransferProgress
from benchd.domain.slot import ProgressView, TransferView
from benchd.pipelines.thermal_pause import TransferMeter


def shown(*reports: tuple[int, float]) -> list[ProgressView]:
    views: list[ProgressView] = []
    meter = TransferMeter(1000, views.append)
    for size_bytes, elapsed_s in reports:
        meter.progress(TransferProgress(bytes_done=size_bytes, elapsed_s=elapsed_s))
    return views


def test_the_rate_is_the_present_one_and_the_time_left_goes_by_the_mean() -> None:
    last = shown((200, 10), (300, 20), (500, 25))[-1]
    assert last.transfer == TransferView(bytes_done=500, bytes_per_s=40.0)
    assert (last.fraction, last.eta_s) == (0.5, 25.0)


def test_what_an_earlier_run_has_written_is_no_rate() -> None:
    first, second = shown((600, 1), (610, 2))
    assert first.transfer == TransferView(bytes_done=600, bytes_per_s=0.0)
    assert second.transfer == TransferView(bytes_done=610, bytes_per_s=10.0)


def test_another_part_that_begins_anew_has_no_rate_at_first() -> None:
    rates = [view.transfer.bytes_per_s for view in shown((500, 50), (10, 1)) if view.transfer]
    assert rates == [0.0, 0.0]
