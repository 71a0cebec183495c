"""All dashboards that there are."""

from __future__ import annotations

from typing import Final

from benchd.lab.dashboards.cables import CABLES
from benchd.lab.dashboards.felica import FELICA
from benchd.lab.dashboards.models import MODELS
from benchd.lab.dashboards.rack_today import RACK_TODAY
from benchd.lab.dashboards.service import SERVICE

SHEETS: Final = (RACK_TODAY, CABLES, MODELS, FELICA, SERVICE)
