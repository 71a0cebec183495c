"""Writes all dashboards: `python -m benchd.lab.dashboards FOLDER`."""

from __future__ import annotations

import sys
from pathlib import Path

from benchd.lab.dashboards.grafana import dashboard_text
from benchd.lab.dashboards.sheets import SHEETS

if len(sys.argv) != 2:
    sys.exit(__doc__)
for sheet in SHEETS:
    (Path(sys.argv[1]) / f"{sheet.uid}.json").write_text(dashboard_text(sheet))
