"""What ISO 19005-3 (PDF/A-3, level A) asks of a file, as far as it shows without drawing a page.

Read by pikepdf, which shares no code with what sets and signs pages; numbers are the standard's
clauses. Not here: how colours and glyphs are used in a page's content, which typst holds itself.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from io import BytesIO
from typing import Any, Final
from xml.etree import ElementTree as ET

import pikepdf

Breach = tuple[str, str]
"""The clause, and what is wrong."""
PDFAID: Final = "{http://www.aiim.org/pdfa/ns/id/}"
RDF: Final = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
FILTERS: Final = frozenset(
    f"/{name}Decode" for name in ("ASCIIHex", "ASCII85", "Flate", "RunLength", "CCITTFax", "DCT")
) | {"/JBIG2Decode", "/JPXDecode"}
ACTIONS: Final = frozenset(
    {"/GoTo", "/GoToR", "/GoToE", "/URI", "/Named", "/Thread", "/SubmitForm"}
)
NAMED: Final = frozenset({"/NextPage", "/PrevPage", "/FirstPage", "/LastPage"})
NOT_ANNOTATIONS: Final = frozenset({"/3D", "/Sound", "/Screen", "/Movie", "/RichMedia"})
PRINT: Final = 4
NOT_SEEN: Final = 1 | 2 | 32 | 256
"""Invisible, hidden, no view, toggle no view."""
LONGEST_STRING: Final = 32_767
LONGEST_NAME: Final = 127


def breaches(data: bytes) -> list[Breach]:
    """All that keeps this file from being what it says it is."""
    with pikepdf.open(BytesIO(data)) as pdf:
        return [breach for rule in RULES for breach in rule(data, pdf)]


def _dictionaries(pdf: pikepdf.Pdf) -> Iterator[Any]:
    """Every dictionary and stream, also those that lie in others."""
    for one in pdf.objects:
        yield from _within(one)


def _within(one: Any) -> Iterator[Any]:  # noqa: ANN401 - pikepdf's objects
    if isinstance(one, (pikepdf.Dictionary, pikepdf.Stream)):
        yield one
        for value in one.values():
            if not getattr(value, "is_indirect", False):
                yield from _within(value)
    elif isinstance(one, pikepdf.Array):
        for value in one:
            if not getattr(value, "is_indirect", False):
                yield from _within(value)


def _structure(data: bytes, pdf: pikepdf.Pdf) -> Iterator[Breach]:
    header = re.match(rb"%PDF-1\.[0-7](\r\n|\r|\n)%([^\r\n]+)", data)
    if header is None or sum(byte > 127 for byte in header[2][:4]) < 4:
        yield "6.1.2", "the header isn't PDF 1.0 to 1.7 with a line of four bytes above 127"
    if not re.search(rb"%%EOF(\r\n|\r|\n)?$", data):
        yield "6.1.3", "something comes after the end of the file"
    if "/ID" not in pdf.trailer:
        yield "6.1.3", "the trailer has no ID"
    if "/Encrypt" in pdf.trailer:
        yield "6.1.3", "it is encrypted"


def _claims(data: bytes, pdf: pikepdf.Pdf) -> Iterator[Breach]:
    """Nothing beyond ISO 32000-1, which is PDF 1.7, on which the standard rests."""
    del data
    version = str(pdf.Root.get("/Version", "/1.7"))
    if version not in {f"/1.{minor}" for minor in range(8)}:
        yield "6.1.2", f"the catalogue says version {version}"
    for name, extension in pdf.Root.get("/Extensions", pikepdf.Dictionary()).items():
        if name == "/Type":
            continue
        if not isinstance(extension, pikepdf.Dictionary):
            yield "ISO 32000-1 7.12", f"the extension {name} isn't a dictionary"
        elif str(extension.get("/BaseVersion")) not in {f"/1.{minor}" for minor in range(8)}:
            yield "ISO 32000-1 7.12", f"the extension {name} is of a later version"
    for name in ("/DSS", "/DPartRoot"):
        if name in pdf.Root:
            yield "ISO 32000-1 7.7.2", f"{name} is of PDF 2.0"


def _objects(data: bytes, pdf: pikepdf.Pdf) -> Iterator[Breach]:
    del data
    for one in _dictionaries(pdf):
        if any(len(name.encode()) - 1 > LONGEST_NAME for name in one.keys()):  # noqa: SIM118
            yield "6.1.13", "a name is too long"
        for value in one.values():
            if isinstance(value, pikepdf.String) and len(bytes(value)) > LONGEST_STRING:
                yield "6.1.13", "a string is too long"
        if isinstance(one, pikepdf.Stream):
            yield from _stream(one)


def _stream(stream: pikepdf.Stream) -> Iterator[Breach]:
    if {"/F", "/FFilter", "/FDecodeParms"} & set(stream.keys()):
        yield "6.1.7.1", "a stream's data lies outside of the file"
    filters = stream.get("/Filter", pikepdf.Array())
    names = {str(each) for each in (filters if isinstance(filters, pikepdf.Array) else [filters])}
    if names - FILTERS:
        yield "6.1.7.2", f"a stream is filtered by {names - FILTERS}"
    match str(stream.get("/Subtype")):
        case "/Image":
            if {"/Alternates", "/OPI"} & set(stream.keys()) or stream.get("/Interpolate", False):
                yield "6.2.8", "an image is interpolated, or has others in its place"
        case "/PS":
            yield "6.2.9", "an object is PostScript"
        case "/Form" if {"/OPI", "/PS", "/Subtype2", "/Ref"} & set(stream.keys()):
            yield "6.2.9", "a form refers to something else"
        case _:
            pass


def _colours(data: bytes, pdf: pikepdf.Pdf) -> Iterator[Breach]:
    del data
    intents = [
        intent
        for intent in pdf.Root.get("/OutputIntents", pikepdf.Array())
        if str(intent.get("/S")) == "/GTS_PDFA1"
    ]
    if len(intents) != 1 or "/DestOutputProfile" not in intents[0]:
        yield "6.2.3", "it has not one output intent with its profile"
    elif b"acsp" not in intents[0].DestOutputProfile.read_bytes()[36:40]:
        yield "6.2.3", "the profile isn't ICC's"
    for one in _dictionaries(pdf):
        if str(one.get("/Type")) == "/ExtGState" and {"/TR", "/HTP"} & set(one.keys()):
            yield "6.2.5", "a graphics state has a transfer function"


def _fonts(data: bytes, pdf: pikepdf.Pdf) -> Iterator[Breach]:
    del data
    for one in _dictionaries(pdf):
        if str(one.get("/Type")) == "/FontDescriptor" and not (
            {"/FontFile", "/FontFile2", "/FontFile3"} & set(one.keys())
        ):
            yield "6.2.11.4", f"the font {one.get('/FontName')} isn't embedded"
        if str(one.get("/Subtype")) in {"/Type0", "/TrueType", "/Type1"}:
            if "/ToUnicode" not in one:
                yield "6.2.11.7", f"what {one.get('/BaseFont')} writes can't be read as text"
            if str(one.get("/Subtype")) != "/Type0" and "/FontDescriptor" not in one:
                yield "6.2.11.4", f"the font {one.get('/BaseFont')} isn't embedded"


def _annotations(data: bytes, pdf: pikepdf.Pdf) -> Iterator[Breach]:
    del data
    for page in pdf.pages:
        for one in page.get("/Annots", pikepdf.Array()):
            if str(one.Subtype) in NOT_ANNOTATIONS:
                yield "6.3.1", f"an annotation is {one.Subtype}"
            flags = int(one.get("/F", 0))
            if not flags & PRINT or flags & NOT_SEEN:
                yield "6.3.2", "an annotation isn't printed, or is hidden"
            box = [float(side) for side in one.Rect]
            is_seen = box[0] != box[2] and box[1] != box[3]
            if is_seen and str(one.Subtype) not in {"/Popup", "/Link"} and "/AP" not in one:
                yield "6.3.3", "an annotation has no appearance"
            if str(one.Subtype) == "/Widget" and {"/A", "/AA"} & set(one.keys()):
                yield "6.4.1", "a field of a form does something"


def _actions(data: bytes, pdf: pikepdf.Pdf) -> Iterator[Breach]:
    del data
    for one in _dictionaries(pdf):
        action = str(one.get("/S"))
        # A structure element and a transition have an /S too.
        if "/Type" in one and str(one.Type) != "/Action":
            continue
        is_action = str(one.get("/Type")) == "/Action" or action == "/JavaScript"
        if is_action and action not in ACTIONS:
            yield "6.5.1", f"an action is {action}"
        if is_action and action == "/Named" and str(one.get("/N")) not in NAMED:
            yield "6.5.1", "a named action isn't one of four"
    if "/AA" in pdf.Root or any("/AA" in page for page in pdf.pages):
        yield "6.5.2", "something happens by itself"
    names = pdf.Root.get("/Names", pikepdf.Dictionary())
    if "/JavaScript" in names:
        yield "6.5.1", "there are scripts"
    if "/AlternatePresentations" in names or any("/PresSteps" in page for page in pdf.pages):
        yield "6.10", "there are other ways to show it"
    if "/Requirements" in pdf.Root:
        yield "6.11", "it asks a reader for something"


def _forms(data: bytes, pdf: pikepdf.Pdf) -> Iterator[Breach]:
    del data
    form = pdf.Root.get("/AcroForm", pikepdf.Dictionary())
    if form.get("/NeedAppearances", False):
        yield "6.4.1", "its fields have to be drawn by the reader"
    if "/XFA" in form or pdf.Root.get("/NeedsRendering", False):
        yield "6.4.2", "its form is XFA"
    permissions = pdf.Root.get("/Perms", pikepdf.Dictionary())
    if set(permissions.keys()) - {"/DocMDP", "/UR3"}:
        yield "6.1.12", "it permits something else than DocMDP and UR3"
    for one in _dictionaries(pdf):
        if str(one.get("/Type")) == "/SigRef" and (
            {"/DigestLocation", "/DigestMethod", "/DigestValue"} & set(one.keys())
        ):
            yield "6.1.12", "a signature's reference has a digest of its own"


def _metadata(data: bytes, pdf: pikepdf.Pdf) -> Iterator[Breach]:
    del data
    if "/Metadata" not in pdf.Root:
        yield "6.6.2", "it has no metadata"
        return
    metadata = pdf.Root.Metadata
    if "/Filter" in metadata:
        yield "6.6.2", "its metadata is compressed"
    packet = metadata.read_bytes()
    root = ET.fromstring(packet[packet.index(b"<x:xmpmeta") :])  # noqa: S314 - our own
    said = {each.tag: (each.text or "") for each in root.iter()}
    said |= {name: value for one in root.iter(f"{RDF}Description") for name, value in one.items()}
    if (said.get(f"{PDFAID}part"), said.get(f"{PDFAID}conformance")) != ("3", "A"):
        yield "6.6.4", "its metadata doesn't say PDF/A-3a"


def _tags(data: bytes, pdf: pikepdf.Pdf) -> Iterator[Breach]:
    del data
    if not pdf.Root.get("/MarkInfo", pikepdf.Dictionary()).get("/Marked", False):
        yield "6.7.2.2", "it isn't said to be tagged"
    if "/StructTreeRoot" not in pdf.Root:
        yield "6.7.3.3", "it has no structure"
    if not str(pdf.Root.get("/Lang", "")):
        yield "6.7.4", "it has no language"


def _files(data: bytes, pdf: pikepdf.Pdf) -> Iterator[Breach]:
    del data
    associated = {one.objgen for one in pdf.Root.get("/AF", pikepdf.Array())}
    for one in _dictionaries(pdf):
        if "/EF" not in one:
            continue
        if not {"/F", "/UF"} <= set(one.keys()):
            yield "6.8", "a file has no name"
        if "/AFRelationship" not in one or one.objgen not in associated:
            yield "6.8", "it isn't said what a file is to the document"
        if "/Subtype" not in one.EF.F:
            yield "6.8", "a file has no media type"


RULES: Final[tuple[Callable[[bytes, pikepdf.Pdf], Iterator[Breach]], ...]] = (
    *(_structure, _claims, _objects, _colours, _fonts, _annotations, _actions, _forms),
    *(_metadata, _tags, _files),
)
