"""The doctor looks at the same configuration as the other commands, on a disk: it asks for one."""

from pathlib import Path

import pytest

from tests.cli.conftest import app, catalogue, config, japan, rack, server

__all__ = ["app", "catalogue", "config", "japan", "rack", "server"]


@pytest.fixture
def tmp_path(on_disk: Path) -> Path:
    return on_disk
