"""The tables of the configuration file: their keys, defaults and what each key allows."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
)

from benchd.config.addresses import AnchorAddress, WebAddress
from benchd.config.config_values import (
    LocalPath,
    OneLine,
    Section,
    SocketPath,
    folder_of,
    slot_name,
)
from benchd.config.felica_section import FelicaSection, ReaderName
from benchd.config.fleet_section import FleetSection
from benchd.config.grades_section import GradesSection
from benchd.config.hooks_section import MOST_HOOKS, HookSection
from benchd.config.http_section import HttpSettings
from benchd.config.mistake_wording import found, refused
from benchd.config.printers_section import Printers, PrinterSection
from benchd.config.traces_section import TracesSection
from benchd.config.wall_section import WallSection
from benchd.domain.ids import PortPath, SlotName
from benchd.domain.people import PERSON_ID, PersonId

ADB_SOCKETS: Mapping[str, Path] = MappingProxyType(
    {"own": Path("/run/benchd/adb.sock"), "external": Path("/run/benchd-adb/adb.sock")}
)
"""Where the adb server listens if nothing else is said: in the folder of whose unit makes it."""

_USB_INTERFACE = re.compile(r".*-usb(?:v\d)?-\d+:[\d.]+:\d+\.\d+")
_KERNEL_NAME = re.compile(r"\d+-\d+(?:\.\d+)*")


class SiteSettings(Section):
    """Who erases, as it stands on every certificate."""

    name: OneLine
    address: OneLine | None = None


class RackSettings(Section):
    """What holds for every slot."""

    recipe: str = "overwrite"
    settle_s: Annotated[float, Field(gt=0, le=60, allow_inf_nan=False)] = 2.0


class AdbSettings(Section):
    """The adb server that benchd works with: its own child, or one that systemd looks after."""

    server: Literal["own", "external"] = "own"
    path: OneLine = "adb"
    socket: SocketPath | None = None
    home: LocalPath = Path("/var/lib/benchd/adb")
    streams_per_bus: Annotated[int, Field(ge=1, le=64)] = 4

    @field_validator("path")
    @classmethod
    def _program(cls, path: str, info: ValidationInfo) -> str:
        """A bare name is looked up on PATH, anything else is a file."""
        return str(folder_of(info) / path) if "/" in path else path

    @property
    def server_socket(self) -> Path:
        """The Unix socket on which the server listens."""
        return self.socket or ADB_SOCKETS[self.server]


class AnchorSettings(Section):
    """Where outside of the rack the ledger's head is kept."""

    folder: LocalPath | None = None
    url: AnchorAddress | None = None
    every_s: Annotated[float, Field(ge=10, le=86_400, allow_inf_nan=False)] = 900.0


class LedgerSettings(Section):
    """The record of everything."""

    path: LocalPath = Path("/var/lib/benchd/ledger.sqlite")
    anchor: AnchorSettings = Field(default_factory=AnchorSettings)


class CertificateSettings(Section):
    """How certificates are signed and where they are kept."""

    key: LocalPath = Path("/etc/benchd/certificate_key.pem")
    directory: LocalPath = Path("/var/lib/benchd/certificates")
    verify_at: Annotated[OneLine, Field(max_length=80)] | None = None
    """Where strangers verify them, as it stands on each paper; `benchd certificate verify`."""
    time_stamps: WebAddress | None = None
    """The address of an RFC 3161 service for PDFs; none is asked where there is none."""


class ClockSettings(Section):
    """How the machine's clock is looked after."""

    unsynchronised_s: Annotated[float, Field(ge=60, le=604_800, allow_inf_nan=False)] = 3600.0


class DossierSettings(Section):
    """Where the answers of handsets are kept that couldn't be inspected."""

    directory: LocalPath = Path("/var/lib/benchd/dossiers")


def _uid(text: str) -> str:
    if not re.fullmatch(r"0|[1-9][0-9]{0,9}", text):
        raise refused(f"found {found(text)}, allowed is the number of a user: `id -u NAME`")
    return text


def _person(text: str) -> str:
    if not PERSON_ID.fullmatch(text):
        raise refused(f"found {found(text)}, allowed is a person's id: `benchd people list`")
    return text


class PeopleSettings(Section):
    """How people show who they are."""

    idle_minutes: Annotated[int, Field(ge=1, le=480)] = 10
    unix: dict[
        Annotated[str, AfterValidator(_uid)], Annotated[PersonId, AfterValidator(_person)]
    ] = Field(default_factory=dict[str, PersonId])
    """Users of this machine and who they are, for the Unix socket."""

    @property
    def of_uid(self) -> dict[int, PersonId]:
        """The same by number."""
        return {int(uid): person for uid, person in self.unix.items()}


class TokenSettings(Section):
    """What each token of another system may ask for."""

    per_minute: Annotated[int, Field(ge=1, le=6000)] = 120


class RecipesSettings(Section):
    """Where the dealer's policy is kept."""

    directory: LocalPath = Path("recipes")


class ModelsSettings(Section):
    """Where it is told what is known of handsets by their model."""

    shipped: bool = True
    folders: list[LocalPath] = Field(default_factory=list[Path])
    fresh_pictures: LocalPath = Path("/var/lib/benchd/fresh")
    """Where `benchd handset learn-fresh` keeps what it has learned."""


def _port_path(path: str) -> str:
    if not path or not path.isascii() or not path.isprintable() or " " in path:
        cure = "allowed is the ID_PATH of a USB port, without spaces"
    elif _USB_INTERFACE.fullmatch(path):
        cure = f"the ID_PATH of an interface; allowed is the device's: {path.rpartition(':')[0]}"
    elif _KERNEL_NAME.fullmatch(path):
        cure = "the kernel's name of a port; allowed is its ID_PATH, which a reboot doesn't change"
    else:
        return path
    raise refused(f"found {found(path)}, {cure}; `benchd slots learn` finds it")


class SlotSettings(Section):
    """One position of the rack."""

    port: Annotated[PortPath, StringConstraints(max_length=255), AfterValidator(_port_path)]
    recipe: str | None = None
    reader: ReaderName | None = None


class ConfigFile(Section):
    """The whole file."""

    site: SiteSettings
    rack: RackSettings = Field(default_factory=RackSettings)
    adb: AdbSettings = Field(default_factory=AdbSettings)
    ledger: LedgerSettings = Field(default_factory=LedgerSettings)
    certificate: CertificateSettings = Field(default_factory=CertificateSettings)
    clock: ClockSettings = Field(default_factory=ClockSettings)
    dossiers: DossierSettings = Field(default_factory=DossierSettings)
    http: HttpSettings = Field(default_factory=HttpSettings)
    people: PeopleSettings = Field(default_factory=PeopleSettings)
    tokens: TokenSettings = Field(default_factory=TokenSettings)
    recipes: RecipesSettings = Field(default_factory=RecipesSettings)
    models: ModelsSettings = Field(default_factory=ModelsSettings)
    felica: FelicaSection = Field(default_factory=FelicaSection)
    wall: WallSection = Field(default_factory=WallSection)
    grades: GradesSection = Field(default_factory=GradesSection)
    traces: TracesSection = Field(default_factory=TracesSection)
    fleet: FleetSection = Field(default_factory=FleetSection)
    printers: Printers = Field(default_factory=list[PrinterSection])
    hooks: Annotated[list[HookSection], Field(max_length=MOST_HOOKS)] = Field(
        default_factory=list[HookSection]
    )
    slots: dict[Annotated[SlotName, AfterValidator(slot_name)], SlotSettings] = Field(
        default_factory=dict[SlotName, SlotSettings]
    )
