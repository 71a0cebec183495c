"""A page is the PDF/A-3a that it says it is, signed too; each forbidden entry is found."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Any

import pikepdf
import pytest
from pikepdf import Array, Dictionary, Name, String

from benchd.certificate import SigningKey
from benchd.domain.ids import Evidence
from tests.papers.papers_made import draft
from tests.papers.pdfa import LONGEST_NAME, LONGEST_STRING, breaches

Change = Callable[[pikepdf.Pdf], None]


def test_item_5_a_signed_page_claims_nothing_beyond_what_it_is(pdf: bytes) -> None:
    assert breaches(pdf) == []


def test_item_5_a_page_before_its_signature_is_one_too(
    statement: Evidence, key: SigningKey
) -> None:
    assert breaches(draft(statement, key)) == []


def changed(data: bytes, change: Change, **how: Any) -> bytes:  # noqa: ANN401 - of pikepdf
    with pikepdf.open(BytesIO(data)) as pdf:
        change(pdf)
        written = BytesIO()
        pdf.save(written, fix_metadata_version=False, **how)
        return written.getvalue()


def root(name: str, value: Any) -> Change:  # noqa: ANN401 - of pikepdf
    def change(pdf: pikepdf.Pdf) -> None:
        pdf.Root[name] = value

    return change


def without(name: str) -> Change:
    def change(pdf: pikepdf.Pdf) -> None:
        del pdf.Root[name]

    return change


def first(pdf: pikepdf.Pdf, subtype: str) -> Any:  # noqa: ANN401 - of pikepdf
    """The first object of this subtype."""
    fits = (
        one
        for one in pdf.objects
        if isinstance(one, (Dictionary, pikepdf.Stream)) and str(one.get("/Subtype")) == subtype
    )
    return next(fits)


def stream(**entries: Any) -> Change:  # noqa: ANN401 - of pikepdf
    def change(pdf: pikepdf.Pdf) -> None:
        made = pdf.make_stream(b"q Q")
        for name, value in entries.items():
            made[f"/{name}"] = value
        pdf.pages[0]["/PieceInfo"] = pdf.make_indirect(Dictionary(Kept=pdf.make_indirect(made)))

    return change


def action(**entries: Any) -> Change:  # noqa: ANN401 - of pikepdf
    return root("/OpenAction", Dictionary(Type=Name.Action, **entries))


def of_annotation(**entries: Any) -> Change:  # noqa: ANN401 - of pikepdf
    def change(pdf: pikepdf.Pdf) -> None:
        widget = first(pdf, "/Widget")
        for name, value in entries.items():
            widget[f"/{name}"] = value

    return change


def of_field(name: str, value: Any) -> Change:  # noqa: ANN401 - of pikepdf
    def change(pdf: pikepdf.Pdf) -> None:
        pdf.Root.AcroForm[name] = value

    return change


def of_names(name: str) -> Change:
    def change(pdf: pikepdf.Pdf) -> None:
        pdf.Root.Names[name] = Dictionary(Names=Array())

    return change


def of_page(name: str) -> Change:
    def change(pdf: pikepdf.Pdf) -> None:
        pdf.pages[0][name] = Dictionary()

    return change


def of_file(*path: str) -> Change:
    """A file without this."""

    def change(pdf: pikepdf.Pdf) -> None:
        inner = pdf.Root.AF[0]
        for name in path[:-1]:
            inner = inner[name]
        del inner[path[-1]]

    return change


def not_associated(pdf: pikepdf.Pdf) -> None:
    pdf.Root.AF = Array()


def signature_digest(pdf: pikepdf.Pdf) -> None:
    pdf.Root.Perms.DocMDP.Reference[0].DigestMethod = Name.SHA256


def not_embedded(pdf: pikepdf.Pdf) -> None:
    for one in pdf.objects:
        if isinstance(one, Dictionary) and str(one.get("/Type")) == "/FontDescriptor":
            for name in ("/FontFile", "/FontFile2", "/FontFile3"):
                if name in one:
                    del one[name]


def no_text(pdf: pikepdf.Pdf) -> None:
    del first(pdf, "/Type0").ToUnicode


def metadata(old: bytes, new: bytes) -> Change:
    def change(pdf: pikepdf.Pdf) -> None:
        said = pdf.Root.Metadata.read_bytes()
        assert old in said
        pdf.Root.Metadata.write(said.replace(old, new))

    return change


def no_profile(pdf: pikepdf.Pdf) -> None:
    pdf.Root.OutputIntents[0].DestOutputProfile.write(bytes(128))


TWENTY = Dictionary(Type=Name.DeveloperExtensions, BaseVersion=Name("/2.0"), ExtensionLevel=32002)
FORBIDDEN: dict[str, tuple[str, Change]] = {
    "version of 2.0": ("6.1.2", root("/Version", Name("/2.0"))),
    "extension in an array": ("7.12", root("/Extensions", Dictionary(ISO_=Array([TWENTY])))),
    "extension of 2.0": ("7.12", root("/Extensions", Dictionary(ISO_=TWENTY))),
    "security store": ("7.7.2", root("/DSS", Dictionary())),
    "long string": ("6.1.13", root("/Note", String("x" * (LONGEST_STRING + 1)))),
    "long name": ("6.1.13", root("/" + "n" * (LONGEST_NAME + 1), True)),
    "data elsewhere": ("6.1.7.1", stream(F=String("file"))),
    "image interpolated": ("6.2.8", stream(Subtype=Name.Image, Interpolate=True)),
    "image with others": ("6.2.8", stream(Subtype=Name.Image, Alternates=Array())),
    "PostScript": ("6.2.9", stream(Subtype=Name.PS)),
    "form elsewhere": ("6.2.9", stream(Subtype=Name.Form, Ref=Dictionary())),
    "no output intent": ("6.2.3", without("/OutputIntents")),
    "no profile": ("6.2.3", no_profile),
    "transfer function": (
        "6.2.5",
        root("/State", Dictionary(Type=Name.ExtGState, TR=Name.Identity)),
    ),
    "font outside": ("6.2.11.4", not_embedded),
    "letters without text": ("6.2.11.7", no_text),
    "film": ("6.3.1", of_annotation(Subtype=Name.Movie)),
    "hidden": ("6.3.2", of_annotation(F=132 | 2)),
    "not printed": ("6.3.2", of_annotation(F=128)),
    "no appearance": ("6.3.3", of_annotation(Rect=Array([0, 0, 9, 9]))),
    "field that acts": ("6.4.1", of_annotation(AA=Dictionary())),
    "drawn by the reader": ("6.4.1", of_field("/NeedAppearances", True)),
    "XFA": ("6.4.2", of_field("/XFA", Array())),
    "needs rendering": ("6.4.2", root("/NeedsRendering", True)),
    "other permission": ("6.1.12", root("/Perms", Dictionary(Other=Dictionary()))),
    "digest in a reference": ("6.1.12", signature_digest),
    "launch": ("6.5.1", action(S=Name.Launch)),
    "script": ("6.5.1", action(S=Name.JavaScript, JS=String("app.alert(1)"))),
    "other named action": ("6.5.1", action(S=Name.Named, N=Name.Print)),
    "scripts by name": ("6.5.1", of_names("/JavaScript")),
    "acts by itself": ("6.5.2", root("/AA", Dictionary())),
    "page acts by itself": ("6.5.2", of_page("/AA")),
    "no metadata": ("6.6.2", without("/Metadata")),
    "another part": ("6.6.4", metadata(b"<pdfaid:part>3<", b"<pdfaid:part>2<")),
    "another level": ("6.6.4", metadata(b"conformance>A<", b"conformance>B<")),
    "not tagged": ("6.7.2.2", without("/MarkInfo")),
    "no structure": ("6.7.3.3", without("/StructTreeRoot")),
    "no language": ("6.7.4", without("/Lang")),
    "file without a name": ("6.8", of_file("/UF")),
    "file without a kind": ("6.8", of_file("/AFRelationship")),
    "file without a type": ("6.8", of_file("/EF", "/F", "/Subtype")),
    "file of nothing": ("6.8", not_associated),
    "slides": ("6.10", of_page("/PresSteps")),
    "other presentation": ("6.10", of_names("/AlternatePresentations")),
    "requirement": ("6.11", root("/Requirements", Array())),
}


@pytest.mark.parametrize("entry", FORBIDDEN)
def test_item_5_each_forbidden_entry_is_found(entry: str, pdf: bytes) -> None:
    clause, change = FORBIDDEN[entry]
    found = breaches(changed(pdf, change))
    assert {where.rpartition(" ")[2] for where, _ in found} == {clause}


def bytes_of(data: bytes, old: bytes, new: bytes) -> bytes:
    assert old in data
    return data.replace(old, new, 1)


def test_item_5_a_file_that_is_wrong_in_its_bytes_is_found(pdf: bytes) -> None:
    assert breaches(changed(pdf, lambda _: None)) == []
    wrong = {
        "6.1.2": bytes_of(pdf, b"%PDF-1.7", b"%PDF-2.0"),
        "6.1.3": pdf + b"more",
        "6.1.7.2": pdf.replace(b"/FlateDecode", b"/Fl         ", 1),
    }
    wrong["6.1.3 encrypted"] = changed(
        pdf, lambda _: None, encryption=pikepdf.Encryption(owner="", user="")
    )
    for clause, data in wrong.items():
        assert clause.split()[0] in {where for where, _ in breaches(data)}, clause
