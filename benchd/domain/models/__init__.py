"""What is known of handsets by their model: data with provenance, looked up and never trusted."""

from __future__ import annotations
