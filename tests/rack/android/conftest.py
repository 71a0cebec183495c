"""Every test here runs in a network of its own, with a real adb server and real adb daemons."""

from __future__ import annotations

from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol
from private_network import run_in_private_network

HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    if not item.path.is_relative_to(HERE):
        return None
    hook = item.config.hook
    item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)

    def work() -> list[object]:
        reports = runtestprotocol(item, log=False, nextitem=None)
        return [
            hook.pytest_report_to_serializable(config=item.config, report=report)
            for report in reports
        ]

    for data in run_in_private_network(work):
        report = hook.pytest_report_from_serializable(config=item.config, data=data)
        item.ihook.pytest_runtest_logreport(report=report)
    item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True
