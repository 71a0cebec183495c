"""Commands talk to the daemon's API: the same application on fakes as in tests/web."""

from tests.web.conftest import app, catalogue, japan, rack, server

__all__ = ["app", "catalogue", "japan", "rack", "server"]
