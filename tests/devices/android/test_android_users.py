"""Users besides the owner: found, told apart, and a finding of their own where they are closed."""

from __future__ import annotations

from pathlib import Path

import pytest
from handset_fixtures import answer

from benchd.devices.android.dossier.folder import read_folder
from benchd.devices.android.dossier.replay import Replay, replay
from benchd.devices.android.facts.answers import Answers
from benchd.devices.android.facts.packages import read_packages
from benchd.devices.android.facts.users import kinds_of, read_user_ids, read_users
from benchd.devices.android.shell.commands import Completed
from benchd.devices.android.shell.script import Answer, run_script
from benchd.domain.errors import AnswerNotRecognised, OtherUserClosed
from benchd.domain.handset import UserKind
from benchd.domain.job import Reason

CLOSED = (
    "\nException occurred while executing 'list':\n"
    "java.lang.SecurityException: Shell does not have permission to access user 150\n"
    " com.android.server.am.ActivityManagerService.handleIncomingUser:14983\n"
)
FOREIGN = (
    "java.lang.SecurityException: Permission Denial: getCurrentUser() from pid=1, uid=2000 asks to"
    " run as user 999 but is calling from uid 2000\n"
)


@pytest.mark.parametrize(
    ("name", "kinds"),
    [
        ("users-8-one", []),
        ("users-9-chinese", []),
        ("users-13-secure-folder", [UserKind.SECURE_FOLDER]),
        ("users-14-work", [UserKind.WORK_PROFILE]),
        ("users-16-xspace", [UserKind.WORK_PROFILE, UserKind.DUAL_APPS]),
        (
            "users-13-many-kinds",
            [
                UserKind.WORK_PROFILE,
                UserKind.GUEST,
                UserKind.PERSON,
                UserKind.PROFILE,
                UserKind.DUAL_APPS,
                UserKind.DUAL_APPS,
                UserKind.DUAL_APPS,
            ],
        ),
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_each_kind_is_known(name: str, kinds: list[UserKind], end: str) -> None:
    assert kinds_of(read_users(answer(name).replace("\n", end))) == tuple(kinds)


@pytest.mark.parametrize("between", ["", " ", "\x0b", "\u2028", "?"])
def test_two_users_in_one_line_are_not_one(between: str) -> None:
    text = answer("users-13-secure-folder").replace("running\n\t", f"running{between}\t")
    with pytest.raises(AnswerNotRecognised):
        read_user_ids(text)


@pytest.mark.parametrize(("text", "user"), [(CLOSED, 150), (FOREIGN, 999)])
@pytest.mark.parametrize("status", [0, 255])
def test_a_closed_user_is_a_finding_of_its_own(text: str, user: int, status: int) -> None:
    answers = Answers({"packages": Answer(command="pm", status=status, text=text)})
    for read in (answers.read, answers.read_always, answers.read_if_told):
        with pytest.raises(OtherUserClosed, match=f"user {user}") as refused:
            read("packages", read_packages)
        assert refused.value.reason is Reason.OTHER_USER
    assert (set(answers.refused), answers.reasons) == ({"packages"}, (Reason.OTHER_USER,))


def test_the_owner_being_closed_is_another_matter() -> None:
    text = CLOSED.replace("150", "0")
    answers = Answers({"packages": Answer(command="pm", status=255, text=text)})
    with pytest.raises(AnswerNotRecognised):
        answers.read("packages", read_packages)
    assert answers.reasons == (Reason.ANSWER_NOT_RECOGNISED,)


def of(folder: Path, **answers: str) -> Replay:
    for name, text in answers.items():
        (folder / f"{name}.txt").write_text(text)
    return replay(read_folder(folder))


def test_a_dossier_names_the_user_and_refuses_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "packages.status").write_text("255\n")
    found = of(tmp_path, packages=CLOSED)
    assert [one.command for one in found.refused] == ["packages"]
    assert found.findings == (Reason.OTHER_USER,)
    found = of(tmp_path, packages=CLOSED, users=answer("users-13-secure-folder"), battery="?")
    assert found.facts["user_kinds"] == (UserKind.SECURE_FOLDER,)
    assert found.findings == (Reason.OTHER_USER, Reason.ANSWER_NOT_RECOGNISED)


class Complaining:
    """A shell whose `pm` complains on stderr, as Android's does."""

    async def run(self, line: str, *, stdin: bytes, deadline_s: float) -> Completed:
        del line, stdin, deadline_s
        return Completed(
            exit_code=0, stdout=b"\nmark 0 255\nfine\n\nmark 1 0\n", stderr=CLOSED.encode()
        )


@pytest.mark.asyncio
async def test_what_a_command_complains_about_belongs_to_its_answer() -> None:
    told = await run_script(
        Complaining(),  # pyright: ignore[reportArgumentType] - a fake shell
        {"packages": "pm", "users": "pm list users"},
        fresh_mark=lambda: "mark",
    )
    assert "user 150" in told["packages"].text
    assert told["users"].text == "fine\n"
