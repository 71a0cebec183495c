"""The doctor looks at the same configuration as the other commands."""

from tests.commands.conftest import app, catalogue, config, japan, rack, server

__all__ = ["app", "catalogue", "config", "japan", "rack", "server"]
