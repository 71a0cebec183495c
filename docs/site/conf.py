"""Settings of Sphinx for the manuals' site, which scripts/docs builds.

The sources are the repository's own pages, as they stand in it: their root is the repository's.
"""

from __future__ import annotations

import sys
from pathlib import Path

from benchd.domain import version_info

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

project = "benchd"
author = "benchd"
release = version = version_info.version()
extensions = ["myst_parser", "sections", "two_languages", "nothing_from_outside"]

root_doc = "docs/index"
include_patterns = ["*.md", "docs/**.md"]
exclude_patterns = [".*", "build", "dist", "tests", "benchd", "docs/site"]

# Headings have the anchors that they have where the repository is read; each broken one is said.
myst_heading_anchors = 6
nitpicky = True

html_theme = "furo"
html_title = "benchd"
html_static_path = ["static", "../../benchd/web/static/fonts"]
html_css_files = ["site.css"]
html_additional_pages = {"index": "to_manuals.html"}
templates_path = ["templates"]
html_search_language = "benchd"
html_copy_source = False
html_show_copyright = False
