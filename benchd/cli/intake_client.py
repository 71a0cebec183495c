"""The routes of lots and assets as methods, for the commands."""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import urlencode

from benchd.cli.client import BenchdClient, segment
from benchd.domain.ids import JsonObject


class IntakeClient(BenchdClient):
    """What the daemon refuses is raised as the same error as over there."""

    def lots(self) -> JsonObject:
        """The newest lots under `lots`."""
        return self.answer("GET", "/api/v1/lots")

    def lot(self, lot: str) -> JsonObject:
        """One lot."""
        return self.answer("GET", f"/api/v1/lots/{segment(lot)}")

    def add_lot(self, told: Mapping[str, object]) -> JsonObject:
        """Take a lot in."""
        return self._post("/api/v1/lots", told)

    def attest(self, lot: str, told: Mapping[str, object]) -> JsonObject:
        """State something; returns the number of the record under `sequence`."""
        return self._post(f"/api/v1/lots/{segment(lot)}/attestations", told)

    def withdraw(self, lot: str, told: Mapping[str, object]) -> JsonObject:
        """Let something count no more."""
        return self._post(f"/api/v1/lots/{segment(lot)}/withdrawals", told)

    def assets(self, lot: str | None, limit: int) -> JsonObject:
        """Assets under `assets`."""
        asked = {"limit": str(limit), **({} if lot is None else {"lot": lot})}
        return self.answer("GET", f"/api/v1/assets?{urlencode(asked)}")

    def asset(self, tag: str) -> JsonObject:
        """One asset."""
        return self.answer("GET", f"/api/v1/assets/{segment(tag)}")

    def add_asset(self, lot: str, told: Mapping[str, object]) -> JsonObject:
        """Take one asset in."""
        return self._post(f"/api/v1/lots/{segment(lot)}/assets", told)

    def strike(self, tag: str, told: Mapping[str, object]) -> JsonObject:
        """Strike the line of an asset; returns its lot."""
        return self._post(f"/api/v1/assets/{segment(tag)}/strike", told)

    def import_assets(
        self, lot: str, data: bytes, *, operator: str | None, dry_run: bool, again: bool
    ) -> JsonObject:
        """Take a file in: `taken`, `rows`, `mistakes`."""
        asked = {**_named(operator), "dry_run": str(dry_run).lower(), "again": str(again).lower()}
        path = f"/api/v1/lots/{segment(lot)}/assets.csv?{urlencode(asked)}"
        return self.answer("POST", path, data, "text/csv")

    def import_network(
        self, data: bytes, *, source: str, operator: str | None, dry_run: bool
    ) -> JsonObject:
        """Take a list of look-ups in: `taken`, `rows`, `mistakes`."""
        asked = {**_named(operator), "source": source, "dry_run": str(dry_run).lower()}
        return self.answer("POST", f"/api/v1/network.csv?{urlencode(asked)}", data, "text/csv")

    def bind(self, slot: str, told: Mapping[str, object]) -> JsonObject:
        """Say which tag the handset in a slot has."""
        return self._post(f"/api/v1/slots/{segment(slot)}/asset", told)

    def unerasable(self, tag: str, told: Mapping[str, object]) -> JsonObject:
        """Say that an asset can't be plugged in."""
        return self._post(f"/api/v1/assets/{segment(tag)}/unerasable", told)

    def grades(self) -> JsonObject:
        """The dealer's list under `grades`."""
        return self.answer("GET", "/api/v1/grades")

    def grade_asset(self, tag: str, told: Mapping[str, object]) -> JsonObject:
        """Give an asset a grade."""
        return self._post(f"/api/v1/assets/{segment(tag)}/grade", told)

    def grade_job(self, job: str, told: Mapping[str, object]) -> JsonObject:
        """Give a job's handset a grade."""
        return self._post(f"/api/v1/jobs/{segment(job)}/grade", told)

    def assess(self, tag: str, told: Mapping[str, object]) -> JsonObject:
        """Say what is seen of a handset without adb."""
        return self._post(f"/api/v1/assets/{segment(tag)}/assessments", told)

    def rack_time(self) -> JsonObject:
        """The rack's time, and whether what was attested counts by it."""
        return self.answer("GET", "/api/v1/time")

    def confirm_time(self, told: Mapping[str, object]) -> JsonObject:
        """Confirm the rack's time by another clock."""
        return self._post("/api/v1/time", told)

    def _post(self, path: str, told: Mapping[str, object]) -> JsonObject:
        return self.answer("POST", path, json.dumps(told).encode())


def _named(operator: str | None) -> dict[str, str]:
    return {} if operator is None else {"operator": operator}
