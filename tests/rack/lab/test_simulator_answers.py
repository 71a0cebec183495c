"""What virtual handsets answer, and which handsets there are, without any rack."""

from pathlib import Path

from benchd.domain.job import DISPOSITION_OF
from benchd.lab.simulator.android import after_reset, as_it_came_in
from benchd.lab.simulator.answers import answers, parcel_dump, write_answers
from benchd.lab.simulator.scenarios import SCENARIOS


def test_a_reset_leaves_nothing_of_the_owner() -> None:
    plan = SCENARIOS["account-and-lock"].plan
    before, after = as_it_came_in(plan), after_reset(test_harness=True)
    told = answers(plan, after)
    everything = "".join(answer.text for answer in told.values())
    for trace in ("tanaka", "deviceLocked=1", before.android_id, *plan.packages):
        assert trace not in everything
    assert "[persist.sys.test_harness]: [1]\n" in told["getprop", "all"].text
    assert after.restarted().boot_count == 2


def test_what_its_maker_puts_on_it_is_there_after_a_reset() -> None:
    told = answers(SCENARIOS["preinstalled-account"].plan, after_reset(test_harness=True))
    assert "Account {name=PHONE, type=com.android.localphone}" in told["dumpsys", "account"].text
    assert "/oem/deletable-app/" in told["pm", "list packages -3 -f --user 0"].text
    assert "[ro.boot.verifiedbootstate]: [GREEN]\n" in told["getprop", "all"].text


def test_pm_throws_for_a_closed_user_unless_it_is_asked_for_another() -> None:
    plan = SCENARIOS["secure-folder"].plan
    told = answers(plan, as_it_came_in(plan))
    assert "access user 150" in told["pm", "list packages -3"].text
    assert told["pm", "list packages -3"].status == 255
    assert told["pm", "list packages -3 -f --user 0"].status == 0
    assert "UserInfo{150:Secure Folder:10061030} running" in told["pm", "list users"].text


def test_a_parcel_looks_like_a_real_one() -> None:
    # Recorded from a real handset; quoted in many public notes on adb.
    real = """Result: Parcel(
  0x00000000: 00000000 0000000f 00360038 00390030 '........8.6.0.9.'
  0x00000010: 00350035 00320030 00370037 00350038 '5.5.0.2.7.7.8.5.'
  0x00000020: 00340030 00000031                   '0.4.1...        ')
"""
    data = bytes(4) + (15).to_bytes(4, "little") + "860955027785041\0".encode("utf-16-le")
    assert parcel_dump(data) == real


def test_answers_change_all_at_once(tmp_path: Path) -> None:
    plan = SCENARIOS["clean"].plan
    asked = tmp_path / "answers" / "settings" / "get --user 0 global boot_count"
    state = as_it_came_in(plan)
    for number in range(1, 5):
        write_answers(tmp_path, number, answers(plan, state))
        assert asked.read_text() == f"{number}\n"
        state = state.restarted()
    # Whoever was just reading the last ones still finds them.
    assert len(list(tmp_path.glob("answers-*"))) == 2


def luhn(number: str) -> int:
    doubled = [int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(number))]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10


def test_every_scenario_is_one_handset_and_every_copy_another() -> None:
    plans = [
        scenario.handset(name=f"{name}-{copy}", slot=None, copy=copy)
        for name, scenario in SCENARIOS.items()
        for copy in range(12)
    ]
    assert all(len(plan.imei) == 15 and luhn(plan.imei) == 0 for plan in plans)
    assert len({plan.imei for plan in plans}) == len(plans)
    shared = [plan for plan in plans if plan.serial == "0123456789ABCDEF"]
    assert len(shared) == 24
    assert len({plan.serial for plan in plans}) == len(plans) - len(shared) + 1
    for scenario in SCENARIOS.values():
        if scenario.end.reason is not None:
            assert scenario.end.disposition is DISPOSITION_OF[scenario.end.reason]
