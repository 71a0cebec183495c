"""The demo as a newcomer runs it: every scenario ends as it must, and what it leaves verifies."""

from __future__ import annotations

import base64
import json
import os
import random
import re
import signal
import subprocess
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from benchd.certificate import verify_certificate
from benchd.domain.errors import CertificateInvalid
from benchd.lab.demo.demo_run import IN_ORDER, USUAL_SLOTS
from benchd.lab.simulator.scenarios import SCENARIOS
from tests.free_port import free_port
from tests.hang_up import hang_ups_reach_children
from tests.program import BENCHD

pytestmark = [pytest.mark.rack, pytest.mark.timeout(900)]


def benchd(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command of benchd's."""
    return subprocess.run([*BENCHD, *arguments], capture_output=True, text=True, check=False)


def demo(directory: Path, *arguments: str) -> dict[str, Any]:
    """Run the demo to its end; its JSON is all that may stand on standard output."""
    place = ("--directory", str(directory), "--port", str(free_port()))
    finished = benchd("demo", "--once", "--json", *place, *arguments)
    log = directory / "benchd.log"
    told = log.read_text(encoding="utf-8") if log.exists() else ""
    assert finished.returncode == 0, f"{finished.stdout}\n{finished.stderr}\n{told}"
    return json.loads(finished.stdout)


@dataclass(frozen=True, kw_only=True)
class Ended:
    """A demo that has ended, and what its ledger says."""

    directory: Path
    told: dict[str, Any]
    bodies: list[dict[str, Any]]

    def handset(self, scenario: str) -> dict[str, Any]:
        """How this scenario's handset ended."""
        (found,) = [h for h in self.told["handsets"] if h["scenario"] == scenario]
        return found

    def bodies_of(self, scenario: str) -> list[dict[str, Any]]:
        """What the ledger says of this scenario's slot, in order."""
        slot = self.handset(scenario)["slot"]
        return [body for body in self.bodies if body["slot"] == slot]


@pytest.fixture(scope="module")
def every(tmp_path_factory: pytest.TempPathFactory) -> Ended:
    """All scenarios at once, run once for all that is looked at afterwards."""
    return ended_demo(tmp_path_factory.mktemp("rack"), "--slots", str(len(IN_ORDER)))


def ended_demo(directory: Path, *arguments: str) -> Ended:
    told = demo(directory, *arguments)
    exported = benchd("ledger", "export", str(directory / "ledger.sqlite"))
    bodies = [json.loads(line)["body"] for line in exported.stdout.splitlines()]
    return Ended(directory=directory, told=told, bodies=bodies)


@pytest.mark.slow
@pytest.mark.as_root
@pytest.mark.skipif(os.geteuid() != 0, reason="every scenario runs below; root's are but the usual")
def test_the_usual_eight_end_as_they_must_for_root_too(tmp_path: Path) -> None:
    told = demo(tmp_path / "rack")
    assert told["ok"] is True
    assert [handset["scenario"] for handset in told["handsets"]] == list(IN_ORDER[:USUAL_SLOTS])


@pytest.mark.parametrize(
    "handsets",
    [pytest.param(5, marks=pytest.mark.slow), pytest.param(24, marks=pytest.mark.nightly)],
)
def test_a_lot_costs_two_answers_for_each_clean_handset(tmp_path: Path, handsets: int) -> None:
    place = ("--directory", str(tmp_path / "rack"), "--port", str(free_port()))
    finished = benchd("demo", "--lot", "--slots", str(handsets), "--json", *place)
    assert finished.returncode == 0, f"{finished.stdout}\n{finished.stderr}"
    told = json.loads(finished.stdout)
    assert told["ok"] is True
    answers = [len(handset["answers"]) for handset in told["handsets"]]
    assert (answers.count(2), answers.count(3), len(answers)) == (handsets - 3, 3, handsets)
    assert all(handset["named"] for handset in told["handsets"])
    waited = {step["step"]: step["handsets"] for step in told["attended"]}
    assert waited["observe"] == waited["confirm"] == handsets


def test_every_scenario_at_once_ends_as_it_must(every: Ended) -> None:
    assert set(IN_ORDER) == set(SCENARIOS)
    assert every.told["ok"] is True
    found = {
        handset["scenario"]: (handset["outcome"], handset["disposition"], handset["reason"])
        for handset in every.told["handsets"]
    }
    assert list(found) == list(IN_ORDER)
    ends = {name: SCENARIOS[name].end for name in IN_ORDER}
    assert found == {name: (end.outcome, end.disposition, end.reason) for name, end in ends.items()}


def test_only_what_passes_has_a_certificate_and_each_its_own(every: Ended) -> None:
    for handset in every.told["handsets"]:
        passed = handset["outcome"] == "passed"
        assert (handset["certificate"] is not None) is passed
        assert (handset["coverage"] or 0) >= 0.85 or not passed
    twins = [h for h in every.told["handsets"] if h["scenario"].startswith("same-serial")]
    assert [twin["serial"] for twin in twins] == ["0123456789ABCDEF"] * 2
    assert len({twin["certificate"] for twin in twins}) == 2


def test_its_certificates_verify_anywhere_and_a_changed_byte_is_found(
    every: Ended, tmp_path: Path
) -> None:
    key = Path(every.told["public_key"])
    files = [Path(h["certificate"]) for h in every.told["handsets"] if h["certificate"]]
    for file in files:
        verify_certificate(file.read_bytes(), key.read_bytes())
        with pytest.raises(CertificateInvalid):
            verify_certificate(with_a_changed_byte(file), key.read_bytes())
    # As a stranger does it.
    verified = benchd("certificate", "verify", str(files[0]), "--key", str(key))
    assert verified.returncode == 0, verified.stderr
    changed = tmp_path / files[0].name
    changed.write_bytes(with_a_changed_byte(files[0]))
    refused = benchd("certificate", "verify", str(changed), "--key", str(key))
    assert refused.returncode == 1
    assert "NOT VALID" in refused.stderr


def with_a_changed_byte(file: Path) -> bytes:
    data = bytearray(file.read_bytes())
    data[random.randrange(len(data))] ^= 0x01
    return bytes(data)


def test_its_ledger_verifies_and_tells_every_step(every: Ended) -> None:
    ledger = str(every.directory / "ledger.sqlite")
    verified = benchd("ledger", "verify", ledger, "--key", every.told["public_key"])
    assert verified.returncode == 0, verified.stderr
    opened, closed = (
        Counter(body["slot"] for body in every.bodies if body["kind"] == kind)
        for kind in ("job_opened", "job_ended")
    )
    again = every.handset("unplugged")["slot"]
    assert opened == closed == Counter([h["slot"] for h in every.told["handsets"]] + [again])
    started, ended = (
        {(b["job"], b["data"]["stage"]) for b in every.bodies if b["kind"] == kind}
        for kind in ("stage_started", "stage_ended")
    )
    # What its cable was pulled out of has no end, its job has; unless the transport told of it
    # sooner than the port, a matter of milliseconds: then that is the end.
    cut = next(b["job"] for b in every.bodies_of("unplugged") if b["kind"] == "job_ended")
    told_first = [
        (body["data"]["outcome"], body["data"]["because"])
        for body in every.bodies
        if (body["kind"], body["job"]) == ("stage_ended", cut)
        if body["data"]["stage"] == "overwrite"
    ]
    assert told_first in ([], [("failed", "HandsetGone")])
    without_end = set[tuple[str, str]]() if told_first else {(cut, "overwrite")}
    assert (started - ended, ended - started) == (without_end, set())


def test_no_log_line_names_a_handset_and_every_line_of_a_job_names_it(every: Ended) -> None:
    text = (every.directory / "benchd.log").read_text(encoding="utf-8")
    numbers = r'"(?:serial|usb_serial|imei|android_id)": "([^"]+)"'
    private = set(re.findall(numbers, "".join(map(json.dumps, every.bodies))))
    assert len(private) > 30
    # Who never let benchd in has told it no serial.
    serials = {h["serial"] for h in every.told["handsets"]} - {None}
    assert len(serials) > 20
    assert [word for word in private | serials if word in text] == []
    lines = [json.loads(line) for line in text.splitlines()]
    for line in lines:
        assert {"slot", "job", "event", "level", "timestamp"} <= line.keys()
    jobs = {str(body["job"]): body["slot"] for body in every.bodies if body["job"]}
    for event in ("job_opened", "job_ended"):
        told = [line for line in lines if line["event"] == event]
        assert {line["job"]: line["slot"] for line in told} == jobs


def test_a_cable_pulled_in_mid_overwrite_aborts_and_the_next_plug_passes(every: Ended) -> None:
    unplugged, hangs, clean = map(every.handset, ("unplugged", "hangs", "clean"))
    assert (unplugged["outcome"], unplugged["disposition"]) == ("passed", "sellable")
    assert (hangs["outcome"], hangs["disposition"], hangs["reason"]) == (
        "failed",
        "hold",
        "handset_stalled",
    )
    assert clean["outcome"] == "passed"
    ends = [
        (body["occupancy"], body["data"]["outcome"], body["data"]["reason"])
        for body in every.bodies_of("unplugged")
        if body["kind"] == "job_ended"
    ]
    assert ends == [(1, "aborted", "unplugged"), (2, "passed", None)]


def evidence_of(bodies: list[dict[str, Any]], stage: str) -> dict[str, Any]:
    """What a stage's last attempt has put on record."""
    return next(
        body["data"]["evidence"]
        for body in reversed(bodies)
        if body["kind"] == "stage_ended" and body["data"]["stage"] == stage
    )


STOPPED_AT_THE_GATES = {
    "jpki-unattested": ("hold", "jpki_not_attested"),
    "consent-missing": ("hold", "consent_missing"),
    "network-restricted": ("hold", "network_restricted"),
    "mdm": ("return", "managed_device"),
    "sd-card": ("hold", "removable_media"),
    "unsupported-model": ("hold", "unsupported_model"),
    "secure-folder": ("hold", "other_user"),
    "custom-rom": ("destroy", "system_modified"),
    "counterfeit-capacity": ("hold", "capacity_below_nominal"),
}


def test_what_the_gates_stop_ends_with_its_reason_before_anything_is_changed(
    every: Ended,
) -> None:
    for scenario, end in STOPPED_AT_THE_GATES.items():
        handset = every.handset(scenario)
        assert (handset["disposition"], handset["reason"]) == end
        assert (handset["outcome"], handset["certificate"]) == ("failed", None)
        bodies = every.bodies_of(scenario)
        assert "slot_quarantined" not in {body["kind"] for body in bodies}
        assert not any(body["data"].get("destructive") for body in bodies)


def test_what_a_person_or_time_puts_right_passes(tmp_path: Path) -> None:
    scenarios = ("low-battery", "unauthorized", "adb-disabled")
    three = ended_demo(tmp_path, "--scenario", ",".join(scenarios))
    assert [three.handset(scenario)["outcome"] for scenario in scenarios] == ["passed"] * 3
    low, unauthorized, disabled = map(three.bodies_of, scenarios)
    assert evidence_of(low, "inspect")["battery_percent"] < 30
    assert evidence_of(low, "gates")["battery_percent"] >= 30
    # Allowing the computer is no new plug; switching debugging on is one.
    kinds = [body["kind"] for body in unauthorized]
    assert kinds.index("job_opened") == kinds.index("occupancy_opened") + 1
    opened, changed, job = disabled[:3]
    assert [opened["kind"], changed["kind"], job["kind"]] == [
        "occupancy_opened",
        "attachment_changed",
        "job_opened",
    ]
    assert "ff4201" not in opened["data"]["interfaces"]
    assert "ff4201" in changed["data"]["interfaces"]


def test_an_unknown_scenario_is_refused_with_the_known_ones() -> None:
    refused = benchd("demo", "--once", "--scenario", "cleen")
    assert refused.returncode == 2
    assert "clean" in refused.stderr


def test_nothing_of_a_demo_outlives_its_terminal(tmp_path: Path) -> None:
    command = [*BENCHD, "demo", "--slots", "1", "--port", str(free_port())]
    with hang_ups_reach_children():
        started = subprocess.Popen(
            [*command, "--directory", str(tmp_path)], stderr=subprocess.PIPE, text=True
        )
    with started as running:
        assert running.stderr is not None
        told = next(line for line in running.stderr if "BENCHD_SOCKET=" in line)
        path = told.split("=", 1)[1].split()[0]
        running.send_signal(signal.SIGHUP)
        running.wait()
    # What a daemon holds until its end: the lock on its ledger.
    deadline = time.monotonic() + 60
    while benchd_at(path).returncode == 0:
        assert time.monotonic() < deadline


def benchd_at(path: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*BENCHD, "status"],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "BENCHD_SOCKET": path},
    )


def test_where_no_program_runs_the_host_streams_and_without_proof_nothing_is_reset(
    every: Ended,
) -> None:
    streamed, *unproven = map(
        every.handset, ("no-native-programs", "no-direct-reads", "direct-reads-lie")
    )
    assert (streamed["outcome"], streamed["disposition"]) == ("passed", "sellable")
    assert streamed["coverage"] >= 0.85
    bodies = every.bodies_of("no-native-programs")
    overwrite, read_back = evidence_of(bodies, "overwrite"), evidence_of(bodies, "read_back")
    assert (overwrite["mode"], overwrite["program_version"]) == ("streamed", "none")
    assert overwrite["cipher"] == "aes-128-ctr"
    assert (read_back["past_cache"], read_back["host_past_cache"]) == ("o_direct", "o_direct")
    assert read_back["bytes_proven"] == overwrite["bytes_written"]
    assert 0 < read_back["tail_bytes_proven"] < read_back["bytes_proven"]
    payload = json.loads(Path(streamed["certificate"]).read_bytes())["payload"]
    predicate = json.loads(base64.b64decode(payload))["predicate"]
    assert "streamed by the host" in predicate["technique"]
    assert any("none were streamed" in line for line in predicate["not_reached"])
    for each in unproven:
        assert (each["outcome"], each["disposition"], each["reason"]) == (
            "failed",
            "hold",
            "unsupported_model",
        )
        assert each["certificate"] is None
        bodies = every.bodies_of(each["scenario"])
        started = {b["data"]["stage"] for b in bodies if b["kind"] == "stage_started"}
        assert started == {"inspect"}
        assert not any(body["data"].get("destructive") for body in bodies)


def test_the_next_page_is_open_on_the_handset_and_on_record(every: Ended) -> None:
    ended = {
        body["data"]["stage"]: body["data"]["evidence"]
        for body in every.bodies_of("live-data")
        if body["kind"] == "stage_ended"
    }
    assert ended["initialise"]["setup"] == "not_needed"
    assert ended["final_reset"]["page"] == {
        "page": "reset",
        "outcome": "done",
        "way": "com.android.settings.action.FACTORY_RESET",
        "woken": True,
    }
