"""Take anything away from good records of a chip, or change it, and no erasure is proven."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import pytest

from benchd.domain.chip import BaselineKind, ChipVerdict
from benchd.domain.clear_provider import ClearOutcome
from benchd.domain.errors import CertificateGap
from benchd.domain.ids import JsonValue
from benchd.domain.job import Gate
from benchd.proof.erasure import verify_erasure
from tests.certificate.certificate_rack import (
    CLEARED,
    ERASED_ITSELF,
    INFERRED,
    JOB,
    LOOKED_AT,
    SCANNED,
    SIMULATED,
    STORIES,
    WITHOUT_CHIP,
    ChipStory,
    records_of_an_erasure,
)

OTHER_CHIP = "badbadba" * 8
RESIDUE: JsonValue = [{"code": "0003", "node_count": 2, "residue": ["090F"]}]
NO_FREE_VALUE = ("source", "verdict", "passes", "power_cycled", "systems", "owners_en")
"""Whatever stands here is either what proves it or a gap: no third."""
GIBBERISH: tuple[JsonValue, ...] = (None, "", "?", 0, -1, 7, True, False, [], {}, [{}], ["x"])


def gaps_in(story: ChipStory) -> str:
    with pytest.raises(CertificateGap) as caught:
        verify_erasure(JOB, records_of_an_erasure(chip=story))
    return "; ".join(caught.value.missing)


@pytest.mark.parametrize("name", STORIES)
def test_each_good_story_verifies(name: str) -> None:
    assert verify_erasure(JOB, records_of_an_erasure(chip=STORIES[name]))


def with_recheck(story: ChipStory, **changes: JsonValue) -> ChipStory:
    return replace(story, recheck={**story.recheck, **changes})


def with_check(story: ChipStory, **changes: JsonValue) -> ChipStory:
    return replace(story, check={**story.check, **changes})


def with_clear(story: ChipStory, **changes: JsonValue) -> ChipStory:
    assert not isinstance(story.clear, str)
    return replace(story, clear={**story.clear, **changes})


def with_erase(story: ChipStory, **changes: JsonValue) -> ChipStory:
    assert story.erase is not None
    return replace(story, erase={**story.erase, **changes})


def with_answers(story: ChipStory, answers: Mapping[Gate, bool]) -> ChipStory:
    return replace(story, answers={**story.answers, **answers})


LIES: dict[str, tuple[ChipStory, str]] = {
    "found in use at last": (with_recheck(SCANNED, verdict="in_use"), "isn't unused"),
    "silent at last": (with_recheck(SCANNED, verdict="silent"), "isn't unused"),
    "looked at once": (with_recheck(SCANNED, passes=1), "too few times"),
    "field left on": (with_recheck(SCANNED, power_cycled=False), "field wasn't off"),
    "another chip": (with_recheck(SCANNED, chip=OTHER_CHIP), "another chip"),
    "another chip first": (with_check(CLEARED, chip=OTHER_CHIP), "another chip"),
    "another kind of chip": (with_recheck(SCANNED, ic_type="10"), "another kind"),
    "no chip named": (with_recheck(SCANNED, chip=None), "chip"),
    "empty name": (with_check(with_recheck(SCANNED, chip=""), chip=""), "which chip"),
    "nodes left": (with_recheck(SCANNED, systems=RESIDUE), "nodes are left"),
    "nodes left at first": (with_check(SCANNED, systems=RESIDUE), "nodes are left"),
    "services left": (with_recheck(SCANNED, owners_ja=["Suica"]), "services are left"),
    "nothing answered": (with_recheck(SCANNED, systems=[]), "no system"),
    "nothing asked": (with_recheck(SCANNED, polled=[]), "no system"),
    "no baseline": (with_recheck(SCANNED, baseline=None), "taken to look like"),
    "empty baseline": (with_recheck(SCANNED, baseline=""), "taken to look like"),
    "unknown origin": (with_recheck(SCANNED, baseline_kind=None), "felica_attest"),
    "made-up origin": (
        with_recheck(SCANNED, baseline_kind="certified"),
        "felica_recheck.baseline_kind",
    ),
    "made-up origin attested": (
        with_recheck(INFERRED, baseline_kind="x"),
        "felica_recheck.baseline_kind",
    ),
    "inferred only": (with_recheck(SCANNED, baseline_kind="inferred"), "felica_attest"),
    "not attested": (replace(INFERRED, answers={}), "felica_attest"),
    "attested with no": (with_answers(INFERRED, {Gate.FELICA_ATTEST: False}), "felica_attest"),
    "a no though observed": (with_answers(SCANNED, {Gate.FELICA_ATTEST: False}), "felica_attest"),
    "another gate's yes": (replace(INFERRED, answers={Gate.FELICA_RECHECK: True}), "felica_attest"),
    "in use, clear skipped": (replace(CLEARED, clear="chip_unused"), "but the chip is in_use"),
    "in use, no chip": (replace(CLEARED, clear="no_chip"), "but the chip is in_use"),
    "unused, no chip": (replace(SCANNED, clear="no_chip"), "but the chip is unused"),
    "skipped for anything": (replace(SCANNED, clear="arrived_reset"), "skipped because"),
    "no claim": (with_clear(CLEARED, claim=None), "claim"),
    "no provider": (with_clear(CLEARED, provider=None), "provider"),
    "no consent": (with_clear(CLEARED, consent=None), "consent"),
    "empty consent": (with_clear(CLEARED, consent=""), "consent"),
    "another handset came back": (with_clear(LOOKED_AT, android_id="cccc"), "wasn't the handset"),
    "the handset as it was before its reset": (
        with_clear(LOOKED_AT, android_id="aaaa"),
        "wasn't the handset",
    ),
    "nobody asked which handset": (with_clear(LOOKED_AT, android_id=None), "wasn't the handset"),
    "operator never cleared": (
        replace(LOOKED_AT, answers={Gate.FELICA_CHECK: False, Gate.FELICA_RECHECK: True}),
        "felica_clear",
    ),
    "erased by the handset, as nobody says": (
        replace(ERASED_ITSELF, answers={}),
        "felica_erase: nobody has approved it",
    ),
    "erased by the handset, which somebody denies": (
        with_answers(ERASED_ITSELF, {Gate.FELICA_ERASE: False}),
        "felica_erase: nobody has approved it",
    ),
    "erased by the handset, which no record tells": (
        replace(ERASED_ITSELF, erase=None),
        "nobody claims that the handset has erased",
    ),
    "erased by the handset, which refused": (
        with_erase(ERASED_ITSELF, claim="unsupported"),
        "nobody claims that the handset has erased",
    ),
    "erased by the handset, and in use": (
        with_recheck(ERASED_ITSELF, systems=RESIDUE),
        "nodes are left",
    ),
    "operator never looked": (
        replace(LOOKED_AT, answers={Gate.FELICA_CLEAR: True, Gate.FELICA_RECHECK: True}),
        "felica_check",
    ),
    "operator never looked again": (
        replace(LOOKED_AT, answers={Gate.FELICA_CHECK: False, Gate.FELICA_CLEAR: True}),
        "felica_recheck",
    ),
    "operator saw it in use": (with_answers(LOOKED_AT, {Gate.FELICA_RECHECK: False}), "recheck"),
    "operator said in use": (
        replace(with_check(LOOKED_AT, verdict="unused"), clear="chip_unused"),
        "nobody has answered",
    ),
    "operator sees no chip": (with_check(LOOKED_AT, verdict="no_chip"), "no operator can see"),
    "reader taken away": (replace(SCANNED, recheck=LOOKED_AT.recheck), "same means"),
    "reader taken away, with a yes": (
        replace(SCANNED, recheck=LOOKED_AT.recheck, answers={Gate.FELICA_RECHECK: True}),
        "same means",
    ),
    "reader brought along": (replace(LOOKED_AT, recheck=SCANNED.recheck), "same means"),
    "not silent": (with_check(WITHOUT_CHIP, over_the_air="unused"), "something answered"),
    "not silent at last": (
        with_recheck(WITHOUT_CHIP, over_the_air="inconsistent"),
        "something answered",
    ),
    "silence alone": (replace(WITHOUT_CHIP, answers={}), "felica_no_chip"),
    "person says chip": (with_answers(WITHOUT_CHIP, {Gate.FELICA_NO_CHIP: False}), "no_chip"),
    "handset says chip": (replace(WITHOUT_CHIP, capable=True), "doesn't say that it has no chip"),
    "handset says nothing": (
        replace(WITHOUT_CHIP, capable=None),
        "doesn't say that it has no chip",
    ),
    "check forgets what it says": (
        with_check(WITHOUT_CHIP, felica_capable=None),
        "doesn't say that it has no chip",
    ),
    "catalogue says chip": (
        with_check(WITHOUT_CHIP, catalogue={"felica": "has", "sha256": "7" * 64}),
        "says that its model has a chip",
    ),
    "nobody asked the catalogue": (with_check(WITHOUT_CHIP, catalogue=None), "wasn't asked"),
    "catalogue alone says none": (
        with_check(
            replace(WITHOUT_CHIP, capable=None),
            felica_capable=None,
            catalogue={"felica": "has_none", "sha256": "7" * 64},
        ),
        "doesn't say that it has no chip",
    ),
    "a chip after all": (with_check(WITHOUT_CHIP, chip=OTHER_CHIP), "said to be none"),
    "a chip at last": (with_recheck(WITHOUT_CHIP, chip=OTHER_CHIP), "said to be none"),
    "a system at last": (with_recheck(WITHOUT_CHIP, systems=RESIDUE), "said to be none"),
    "chip at first, none at last": (
        replace(WITHOUT_CHIP, check=SCANNED.check, clear="chip_unused"),
        "there was a chip",
    ),
    "none at first, chip at last": (replace(WITHOUT_CHIP, recheck=SCANNED.recheck), "chip"),
    "silent looked at once": (with_recheck(WITHOUT_CHIP, passes=1), "too few times"),
    "silent with the field on": (with_recheck(WITHOUT_CHIP, power_cycled=False), "field"),
}


@pytest.mark.parametrize("lie", LIES)
def test_each_lie_is_a_gap_of_its_own(lie: str) -> None:
    story, told = LIES[lie]
    assert told in gaps_in(story)


@pytest.mark.parametrize("story", STORIES)
@pytest.mark.parametrize("stage", ["check", "recheck"])
def test_no_other_verdict_verifies(story: str, stage: str) -> None:
    good = STORIES[story]
    change = with_check if stage == "check" else with_recheck
    said = (good.check if stage == "check" else good.recheck)["verdict"]
    for verdict in ChipVerdict:
        # Found in use and not cleared is a gap, unused where it was cleared all the same is not.
        cleared = good in (CLEARED, ERASED_ITSELF)
        harmless = stage == "check" and cleared and verdict == "unused"
        if verdict != said and not harmless:
            assert gaps_in(change(good, verdict=verdict)), verdict


def test_only_a_clear_that_was_made_is_a_claim() -> None:
    for outcome in ClearOutcome:
        story = with_clear(CLEARED, claim=outcome)
        if outcome in (ClearOutcome.DONE, ClearOutcome.ALREADY_INITIAL):
            assert verify_erasure(JOB, records_of_an_erasure(chip=story))
        else:
            assert "nobody claims" in gaps_in(story)


@pytest.mark.parametrize("story", STORIES)
@pytest.mark.parametrize("stage", ["check", "recheck"])
def test_evidence_that_lacks_a_key_is_a_gap(story: str, stage: str) -> None:
    good = STORIES[story]
    evidence = dict(good.check if stage == "check" else good.recheck)
    in_use = evidence["verdict"] == ChipVerdict.IN_USE
    silent = evidence["verdict"] == ChipVerdict.NO_CHIP
    attested = story in ("inferred", "simulated")
    free = {"baseline_kind"} if stage == "check" or attested else set[str]()
    if stage == "check":
        free |= {"passes", "power_cycled"}
    if in_use:
        free |= {"systems", "polled", "baseline", "owners_en", "owners_ja"}
    if silent:
        free |= {"chip", "ic_type", "polled", "baseline", "baseline_kind", "owners_en", "owners_ja"}
    for key in evidence.keys() - free:
        less = {name: value for name, value in evidence.items() if name != key}
        changes = {"check": less} if stage == "check" else {"recheck": less}
        assert gaps_in(replace(good, **changes)), key


@pytest.mark.parametrize("story", [SCANNED, SIMULATED, INFERRED])
@pytest.mark.parametrize("key", NO_FREE_VALUE)
def test_gibberish_is_a_gap(story: ChipStory, key: str) -> None:
    for value in GIBBERISH:
        if value == story.recheck[key] or (key == "passes" and value == 7 and value is not True):
            continue
        assert gaps_in(with_recheck(story, **{key: value})), value


def test_only_an_unseen_baseline_needs_a_person() -> None:
    for kind in BaselineKind:
        story = with_recheck(SCANNED, baseline_kind=kind)
        if kind is not BaselineKind.OBSERVED:
            assert "felica_attest" in gaps_in(story)
        else:
            assert verify_erasure(JOB, records_of_an_erasure(chip=story))
