"""Under which licences a release comes: to be read by people, as Markdown."""

from __future__ import annotations

from collections.abc import Iterable

from benchd.lab.release.part import Inner, Kind, Part, Release

_PACKAGES = """\
Each Python package is a wheel of its own, unchanged as its makers have published it (pyscard is
compiled from their source), and lies in the installed release as a folder of its own: one under
the LGPL can be replaced there by another build of it. Texts lie in the wheels, and in
`lib/python3*/site-packages` once they are installed."""
_INSIDE = """\
What others have made and these wheels carry: in the code of a package, or linked into it. Told by
the wheel's own bill of materials (`sboms`), else by a person who has looked; the last column names
the bill, the text of the licence, or the file that it is part of. Where no licence stands, that
text is it."""


def report_of(release: Release, licence_of_go: str) -> str:
    """What a release is made of, by licence; `licence_of_go` is the text that is passed on."""
    shipped = [part for part in release.parts if part.kind is not Kind.DEBIAN]
    beside = [part for part in release.parts if part.kind is Kind.DEBIAN]
    under: dict[str, list[str]] = {}
    for part in shipped:
        under.setdefault(part.licence, []).append(_name(part))
    return "\n".join(
        [
            f"# Licences of benchd {release.version}, {release.processor}",
            "",
            f"benchd itself: {release.licence}, commit {release.commit}. What comes with it:",
            "",
            *_table(
                ("licence", "parts"),
                ((licence, ", ".join(names)) for licence, names in sorted(under.items())),
            ),
            "",
            _PACKAGES,
            "",
            *_table(("part", "version", "licence", "texts"), map(_row, shipped)),
            "",
            "## Inside of wheels",
            "",
            _INSIDE,
            "",
            *_table(
                ("inside", "version", "licence", "of", "source", "seen in"),
                (_inner_row(part, inner) for part in shipped for inner in part.inside),
            ),
            "",
            "## From Debian",
            "",
            "Not carried: Debian installs them, with their licences in `/usr/share/doc`.",
            "",
            *_table(("package", "version"), ((part.name, part.version) for part in beside)),
            "",
            "## Go's runtime and standard library",
            "",
            "Linked into the programs for handsets. Its text:",
            "",
            *(f"    {line}".rstrip() for line in licence_of_go.splitlines()),
            "",
        ]
    )


def _row(part: Part) -> tuple[str, ...]:
    texts = part.texts
    if part.kind is Kind.GO:
        told = "below"
    elif len(texts) > 1:
        folder = texts[0].partition("/")[0]
        told = f"{len(texts)} files in `{folder}`"
    else:
        told = ", ".join(f"`{text}`" for text in texts)
    return _name(part), part.version, part.licence, told


def _inner_row(part: Part, inner: Inner) -> tuple[str, ...]:
    """A purl may have a link in it, of which the table shows the package alone."""
    source = inner.source or inner.purl.partition("?")[0]
    return inner.name, inner.version, inner.licence, part.name, source, f"`{inner.told_by}`"


def _name(part: Part) -> str:
    return "Go's runtime and standard library" if part.kind is Kind.GO else part.name


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    lines = [head, ("---",) * len(head), *rows]
    return [f"| {' | '.join(line)} |" for line in lines]
