"""The page that draws, made from Grafana's published components by npm and esbuild.

Nothing of npm is in the repository but the list of what is wanted, with exact versions; npm
checks each package against the hash that its registry names. It is kept outside, by that list.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from subprocess import run
from typing import Final

PAGE: Final = Path(__file__).parent / "page"
_WANTED: Final = "package.json"


def installed() -> Path:
    """The folder with `node_modules` as `page/package.json` wants it.

    Raises:
        subprocess.CalledProcessError: npm couldn't; it has said why.
    """
    wanted = (PAGE / _WANTED).read_bytes()
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    kept = caches / "benchd" / "dashboard-pictures" / hashlib.sha256(wanted).hexdigest()[:16]
    if not (kept / "node_modules").exists():
        # Half an installation must not count as one.
        made = kept.with_suffix(".part")
        shutil.rmtree(made, ignore_errors=True)
        made.mkdir(parents=True)
        (made / _WANTED).write_bytes(wanted)
        quiet = ["--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        run(["npm", "install", *quiet], cwd=made, check=True)
        made.rename(kept)
    return kept


def bundle(into: Path) -> Path:
    """Write `page.js`, `page.css` and `index.html` there; answers with the installation.

    Raises:
        subprocess.CalledProcessError: npm or esbuild couldn't.
    """
    kept = installed()
    command = [str(kept / "node_modules" / ".bin" / "esbuild"), str(PAGE / "page.jsx")]
    command += ["--bundle", f"--outfile={into / 'page.js'}", "--jsx=automatic", "--log-level=error"]
    command += ["--minify", "--format=iife", "--loader:.ttf=empty"]
    # The page lies in the repository, what it needs does not.
    run(command, check=True, env={**os.environ, "NODE_PATH": str(kept / "node_modules")})
    shutil.copy(PAGE / "index.html", into)
    return kept
