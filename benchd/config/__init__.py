"""The configuration: TOML files in, frozen settings out, or every mistake at its place."""

from benchd.config.config_sections import (
    AdbSettings,
    CertificateSettings,
    LedgerSettings,
    SiteSettings,
)
from benchd.config.http_section import HttpSettings, ListenAddress
from benchd.config.load import load_settings
from benchd.config.recipes import RecipeDescription
from benchd.config.settings import Settings

__all__ = [
    "AdbSettings",
    "CertificateSettings",
    "HttpSettings",
    "LedgerSettings",
    "ListenAddress",
    "RecipeDescription",
    "Settings",
    "SiteSettings",
    "load_settings",
]
