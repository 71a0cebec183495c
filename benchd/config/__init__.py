"""The configuration: TOML files in, frozen settings out, or every mistake at its place."""

from benchd.config.load import check_config, load_settings
from benchd.config.recipes import RecipeDescription
from benchd.config.sections import (
    AdbSettings,
    CertificateSettings,
    HttpSettings,
    LedgerSettings,
    ListenAddress,
    SiteSettings,
)
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
    "check_config",
    "load_settings",
]
