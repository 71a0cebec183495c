"""Who a handset says it is, by its properties and its radio."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Final, TypeVar

from benchd.android.facts.answers import Answers
from benchd.android.facts.imei import read_imei
from benchd.android.facts.properties import one_of, read_properties, required
from benchd.errors import AnswerNotRecognised
from benchd.words.handset import HandsetIdentity

T = TypeVar("T")

_SECOND_IMEIS: Final = ("second_imei", "second_imei_before_11")


class IdentityReading:
    """Each fact under its own name.

    A fact raises AnswerNotRecognised where its answer isn't understood, NotAsked where there is
    none.
    """

    def __init__(self, answers: Answers) -> None:
        self.answers = answers

    @cached_property
    def properties(self) -> Mapping[str, str]:
        """All that `getprop` lists."""
        return self.answers.read("properties", read_properties)

    @property
    def identity(self) -> HandsetIdentity:
        """Who the handset says it is."""
        return HandsetIdentity(
            serial=self.serial,
            manufacturer=self.manufacturer,
            model=self.model,
            android=self.android,
            build=self.build,
            imei=self.imei,
            second_imei=self.second_imei,
        )

    @property
    def serial(self) -> str:
        """As USB tells it too."""
        return self._required("ro.serialno", "ro.boot.serialno")

    @property
    def manufacturer(self) -> str:
        """Who made it."""
        return self._required("ro.product.manufacturer", "ro.product.brand")

    @property
    def model(self) -> str:
        """The maker's or the carrier's code."""
        return self._required("ro.product.model")

    @property
    def android(self) -> str:
        """The release of Android."""
        return self._required("ro.build.version.release")

    @property
    def build(self) -> str:
        """What its settings show as the build's number."""
        return self._required("ro.build.display.id", "ro.build.id")

    @property
    def imei(self) -> str | None:
        """A refusal is no fault: newer releases keep it from adb."""
        return self.answers.read_if_told("imei", read_imei)

    @property
    def second_imei(self) -> str | None:
        """That of the second radio."""
        told = [self.answers.read_if_told(asked, read_imei) for asked in _SECOND_IMEIS]
        return next((imei for imei in told if imei not in (None, self.imei)), None)

    @property
    def sdk(self) -> int:
        """The number of the release's programming interface."""
        value = self._required("ro.build.version.sdk")
        with self.answers.blamed("properties"):
            if not (value.isascii() and value.isdigit() and len(value) <= 4):
                raise AnswerNotRecognised("getprop: ro.build.version.sdk is no number")
        return int(value)

    @property
    def abi(self) -> str:
        """What its native programs are made for."""
        return self._required("ro.product.cpu.abi")

    def of_properties(self, parse: Callable[[Mapping[str, str]], T]) -> T:
        """What a parser makes of the properties."""
        properties = self.properties
        with self.answers.blamed("properties"):
            return parse(properties)

    def _required(self, *names: str) -> str:
        return self.of_properties(lambda told: required(told, *names))

    def flag(self, name: str) -> bool | None:
        """A property that is true or false; None where it isn't set."""
        value = self.of_properties(lambda told: one_of(told, name, "true", "false", "1", "0"))
        return None if value is None else value in ("true", "1")
