"""Item 8: each error that the code can raise is told in Japanese, and with what to do.

The sentences are found by the code's syntax: a new one without its Japanese fails here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from benchd.config.deprecated_keys import RETIRED
from benchd.config.parsed_toml import read_document, unreadable
from benchd.domain.errors import ConfigInvalid
from benchd.texts.catalogue import Catalogue
from benchd.texts.causes import Causes
from tests.texts.cures import CURE, CURE_IN_ENGLISH
from tests.texts.said_in_code import Said, below, constant, said_by, sample

ENDINGS = {
    "StageFailed": 1,
    **dict.fromkeys(
        ("HandsetStalled", "StorageFault", "StorageContradicts", "UnsupportedHandset"), 0
    ),
    **dict.fromkeys(("HandsetGone", "TransientFault", "ReaderGone"), 0),
}
"""AnswerNotRecognised stays technical: what wasn't understood can't be told in words."""
FOR_DEVELOPERS = ("lab/", "devices/android/filler/build.py")
"""What measures, plays or builds, and speaks English."""
TOLD_OTHERWISE = {
    "StageFailed": "ends a job: ENDINGS",
    "HandsetFault": "what a handset or a reader has said: ENDINGS, else technical",
    "ChipFault": "what a chip has said: technical",
    "CertificateGap": "which record a proof misses: technical",
    "PrinterFault": "a code of the catalogue",
    "MonitorOverrun": "caught where udev is read",
    **dict.fromkeys(("AnchorUnreachable", "ListRefused"), "logged, and the daemon goes on"),
}
"""Families of errors that nobody is told in a sentence of their own, and why."""
CURES = ("say.see_who_crowds", "say.join_group", "say.start_it", "say.name_a_reader")
"""What stands below what is missing."""
MISTAKES = {"refused": 0, "issue": 1}
"""How the configuration says that a value is wrong, or what stands at a place."""
COMPOSED = {
    "'; '.join(others)": "what differs between two handsets",
    "'; '.join(missing)": "what shows no reset",
    "'; '.join(differs)": "what differs between two looks",
    "str(gap)": "which record the proof misses",
    **dict.fromkeys(("str(refused)", "str(refusal)"), "what a person was told already"),
    "str(fault)": "a fault that is counted here where it was raised",
    "str(error)": "what the ledger's disk has said",
    "error.message": "the fill program's own words",
    "detail": "told where it is made",
    "message": "what the daemon has told, or the place where it is made",
    "self._trouble_of(slot)": "the reader's own trouble",
    "self._trouble": "the reader's own trouble",
    "why": "the reader's own trouble",
    "assigned.cause if assigned else f'slot {slot} has no reader'": "the reader's own trouble",
    **dict.fromkeys(("what.en", "cure.en"), "words of the catalogue"),
    **dict.fromkeys(
        ("tuple(self._issues)", "tuple(sorted(issues, key=place_of))"),
        "each mistake is counted where it is made",
    ),
    **dict.fromkeys(("name", "file", "str(path)"), "a baseline's file, before its mistakes"),
}
"""Sentences that are put together elsewhere."""


def of(path: str, name: str) -> tuple[str, ...]:
    """The sentences of a table in the code."""
    table = constant(path, name)
    assert isinstance(table, Mapping)
    return tuple(table.values())


EXAMPLES: Mapping[str, tuple[str, ...]] = {
    "_what_is_bad(report, order.ordered_bytes)": (
        "4096 bytes aren't what was written, 8192 of 12288 proven (fill-0+0:4096)",
    ),
    "_NOTES[settling.to]": of("slots/disposal_desk.py", "_NOTES"),
    "NUMBER_WANTED[gate]": of("slots/question_desk.py", "NUMBER_WANTED"),
    "doubt": (
        (
            "this isn't the number that is on record of this handset: scan it once more from its"
            " own screen, of one with two SIMs the other bar code too"
        ),
        "another number than those that this handset has told: scan it once more",
        "this handset takes two SIMs: scan both bar codes that its screen shows",
        (
            "the first eight digits are those of another model: scan it once more from this"
            " handset's own screen"
        ),
    ),
    "_kept_back(found.kept_back)": (
        "there is nothing to ship",
        (
            "these must not go out: T2, T3. Take them off; a check of the same labels says what"
            " keeps each of them back"
        ),
    ),
    "_isnt(view.slot, tag, doubted)": (
        (
            "the handset in slot A1 isn't T1: its IMEI is another; its model isn't that of the"
            " papers. Scan its label again, and look whether it lies in this slot"
        ),
    ),
    "_why_not(history)": (
        "job 1-2 has no certificate",
        "job 1-2 has a changed record: its certificate isn't shown",
        "job 1-2 has no certificate before somebody else has rechecked its handset",
    ),
    "_of_no_trusted_key(envelope.key_id, ring)": (
        "the certificate names another key than the one that was given",
        (
            "it was signed by a key that came after the one that was given: get the newest one from"
            " the rack's owner, since a stolen key could have named any other"
        ),
    ),
    "'; '.join(filter(None, said)) or 'a name stands twice'": (
        *("a.pdf, b.pdf missing", "a.pdf missing; c.pdf not on the list", "a name stands twice"),
    ),
    "'; '.join(faults)": (
        "nobody in charge has approved the picture",
        "the same person has reset both handsets of the picture",
        "the picture was taken from one handset twice",
        "100 and 200 bytes are in use: one holds more than the other",
    ),
    "{path}: {'; '.join(faults)}": ("/f: nobody in charge has approved the picture",),
    "{path}: {error}": ("/f: it isn't written as benchd writes it", "/f: Invalid value"),
    "{path}: {refused}": ("/f: a line isn't whsec_ and base64 of 24 to 64 bytes",),
    "{invalid.file}: {mistake}": ("/f: not UTF-8 at byte 7", "/f: more than 7 bytes"),
    "{mistake.file} {mistake.message}": (
        "/f isn't the key of /c; give the one that it was made with",
        "/f can't be read (Permission denied); correct the path",
    ),
    "a line isn't {allowed}": ("a line isn't whsec_ and base64 of 24 to 64 bytes",),
    "found {found(path)}, {cure}; `benchd slots learn` finds it": (
        (
            "found 'usb1', the kernel's name of a port; allowed is its ID_PATH, which a reboot"
            " doesn't change; `benchd slots learn` finds it"
        ),
        (
            "found 'a b', allowed is the ID_PATH of a USB port, without spaces; `benchd slots"
            " learn` finds it"
        ),
    ),
    "found {found(details['input'])}, allowed is {allowed}": tuple(
        f"found 7, allowed is {re.sub(r'{.*}', '7', wanted)}"
        for wanted in of("config/validation.py", "_WANTED")
    ),
    "no adb server answers on {self.place.path}: {cause}": (
        "no adb server answers on /a: it doesn't answer",
    ),
    "the ledger {ledger} {what}": (
        "the ledger /l goes to record 7, and the backup to record 6",
        "the ledger /l can't be read, or isn't of the backup's own history",
    ),
    "names can't be compared by ICU, Unicode's own library: {why}": (
        "names can't be compared by ICU, Unicode's own library: it isn't installed",
    ),
    "benchd can't serve TLS: {why}": (
        "benchd can't serve TLS: /c can't be read (Permission denied); correct the path",
        "benchd can't serve TLS: /c: no start line",
    ),
    "there is no {asked.of} {asked.name}": (
        *("there is no lot L1", "there is no day 2026-11-24", "there is no consignor ABC"),
    ),
    "_by_hand(changes)": (
        "this file's slots are written in a way that can't be changed here; write them yourself:",
        *("[slots.A1]", 'port = "pci-0000:00:14.0-usb-0:1"', 'reader = "usb:1-4.2"'),
    ),
    "_mount_cure(directory)": (
        (
            "It lies on what is mounted read-only, so no owner helps. `sudo journalctl -k -p err`"
            " shows whether its disk errs; `findmnt --target /l` what is mounted there; outside of"
            " /var/lib/benchd the unit needs ReadWritePaths=/l."
        ),
    ),
    "_unix_cure(path, error)": (
        "Make its folder: install -d -m 0755 /run/x (systemd does so by itself).",
        "Let benchd's user write into /run/x, or set another path for the socket.",
        "Set a path for the socket on this machine's own disk, of at most 90 characters.",
    ),
    "cure": (
        (
            "Another program has this port: `sudo ss -ltnp 'sport = :8420'` names it. Stop it, or"
            " set another port."
        ),
        "Set an address that this machine has (`ip address`) and a port from 1024 to 65535.",
    ),
    "(_issue(shown, START, 'file', unreadable(error)),)": tuple(
        unreadable(kind(code, "Input/output error"))
        for kind, code in (
            *((FileNotFoundError, 2), (PermissionError, 13), (IsADirectoryError, 21)),
            *((NotADirectoryError, 20), (OSError, 5)),
        )
    ),
    "(_not_utf8(shown, error),)": ("byte 0x82 isn't UTF-8; save the file as UTF-8",),
    "f'found {found(slot)}, which is no slot; allowed are the names under [slots]' + "
    "suggestion(slot, names)": (
        "found 'A9', which is no slot; allowed are the names under [slots]",
        "found 'A9', which is no slot; allowed are the names under [slots]; did you mean \"A1\"?",
    ),
    "what + cure": (
        "found 'A9', which is no slot; allowed are the names under [slots] and \"\" for a gap",
        (
            "found 'A9', which is no slot; allowed are the names under [slots] and \"\" for a gap;"
            ' did you mean "A1"?'
        ),
    ),
    "what + ' allowed is each slot once'": (
        "found 'A1', which stands in row 2 already; allowed is each slot once",
    ),
}
"""What is said where no single sentence stands, by its expression or its form."""
STAYS_TECHNICAL = {
    "this route declares no action": "a mistake of benchd itself",
    "{what}: {'; '.join(gaps)}": "which record the proof misses",
    "{part.name}: {printable(failed[1].decode(errors='replace'))}": "a program's own words",
    "(_not_toml(shown, error, end),)": "the reader of TOML's own words; tried below",
}


@pytest.fixture(scope="module")
def causes() -> Causes:
    return Causes.load(Catalogue.load())


def endings() -> list[Said]:
    return list(said_by(ENDINGS, ("lab/", "cli/", "config/")))


def refusals() -> list[Said]:
    kinds = below(["BenchdError"]) - below(TOLD_OTHERWISE)
    return list(said_by(dict.fromkeys(kinds, 0), FOR_DEVELOPERS))


def mistakes() -> list[Said]:
    return [
        said
        for said in said_by(MISTAKES, FOR_DEVELOPERS, methods=["issue"])
        if said.place.startswith(("config/", "daemon/config_check"))
    ]


@pytest.mark.parametrize(
    ("found", "fewest"), [(endings, 60), (refusals, 300), (mistakes, 70)], ids=lambda value: value
)
def test_item_8_every_sentence_in_the_code_is_told_in_japanese(
    causes: Causes, found: Callable[[], list[Said]], fewest: int
) -> None:
    told = found()
    assert len(told) > fewest
    assert [
        f"{said.place}: {line}"
        for said in told
        if said.form not in STAYS_TECHNICAL.keys() | COMPOSED.keys()
        for line in lines_of(said)
        if causes.said(line) is None
    ] == []


@pytest.mark.parametrize("key", RETIRED)
def test_item_8_what_became_of_a_key_is_told_in_japanese(
    key: tuple[str, str], causes: Causes
) -> None:
    assert causes.said(RETIRED[key]) is not None


def words_of_commands() -> Iterator[str]:
    """The catalogue's sentences with which commands fail."""
    of_first = dict.fromkeys(("failed", "mistake"), 0)
    for said in said_by({**of_first, "error_of": 1}, FOR_DEVELOPERS):
        if said.template is not None and "." in said.template:
            yield said.template
    yield from CURES


@pytest.mark.parametrize("key", sorted(set(words_of_commands())))
def test_item_8_each_sentence_that_a_command_fails_with_says_what_to_do(key: str) -> None:
    said = Catalogue.load().text(key)
    assert CURE.search(said.ja), said.ja
    assert CURE_IN_ENGLISH.search(said.en), said.en


def lines_of(said: Said) -> Iterator[str]:
    """What is said there, with facts in it; its form where that can't be known."""
    path = said.place.partition(":")[0]
    examples = EXAMPLES.get(said.form) or [sample(said.form, path)]
    yield from (line for example in examples for line in example.splitlines())


def test_nothing_is_called_technical_that_is_no_more_said() -> None:
    told = {said.form for said in [*endings(), *refusals(), *mistakes()]}
    assert STAYS_TECHNICAL.keys() | COMPOSED.keys() | EXAMPLES.keys() <= told


@pytest.mark.parametrize(
    "text",
    [
        *("a b", "a = x", 'a = "x', "a = 'x", "a = [1", "a = {b=1", 'a = "\\q"', "a = 1 2", "!=1"),
        *("a=1\na=2", "[a]\n[a]", "[a", "[[a]", "a={b=1,b=2}", 'a="x\ny"', "# \x01", "="),
        *('a="\\u12"', 'a="\\ud800"', "a=0001-99-01", "a={b=1}\n[a.c]", "[[a]]\n[a]\n[[a]]"),
        "x=" + "[" * 5000,
    ],
)
def test_item_8_a_slip_in_toml_is_told_in_japanese(text: str, causes: Causes) -> None:
    with pytest.raises(ConfigInvalid) as caught:
        read_document(Path("x.toml"), "x.toml", text.encode())
    [issue] = caught.value.issues
    assert causes.said(issue.message) is not None, issue.message
