"""What is known to have fooled readers of signed PDFs, done to papers of benchd.

A page for people to see is put where the reader checks another. Nobody here has a key that counts.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from typing import Any

from asn1crypto import keys, x509
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.generic import DictionaryObject, StreamObject, pdf_name
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import signers
from pyhanko.sign.validation import EmbeddedPdfSignature
from pyhanko_certvalidator.registry import SimpleCertificateStore

from benchd.papers import pdf_signing
from benchd.papers.paper_content import Signed
from benchd.papers.paper_key import PaperKey

Change = Callable[[Any], None]
LIE = b"BT /F1 20 Tf 50 700 Td (another handset) Tj ET"


def with_imei(told: Signed, imei: str) -> Signed:
    """The certificate of one handset under a page that names another."""
    statement: Any = told.statement
    predicate = statement["predicate"]
    handset = {**predicate["handset"], "imei": imei}
    return replace(told, statement={**statement, "predicate": {**predicate, "handset": handset}})


def first_page(writer: Any) -> Any:  # noqa: ANN401 - pyHanko's objects
    return writer.root["/Pages"]["/Kids"][0]


def pages_of(lie: bytes) -> Change:
    """Put the pages of another paper in the place of these."""

    def change(writer: Any) -> None:  # noqa: ANN401 - a writer of pyHanko
        others: Any = PdfFileReader(BytesIO(lie)).root
        kids = others["/Pages"]["/Kids"]
        mine = writer.root["/Pages"]["/Kids"]
        for number in range(len(mine)):
            page, other = mine[number], kids[number]
            content = other.raw_get("/Contents").get_object()
            page["/Contents"] = writer.add_object(writer.import_object(content))
            page["/Resources"] = writer.import_object(other["/Resources"])
            writer.update_container(page)

    return change


def other_content(writer: Any) -> None:  # noqa: ANN401 - a writer of pyHanko
    page = first_page(writer)
    page["/Contents"] = writer.add_object(StreamObject(stream_data=LIE))
    writer.update_container(page)


def same_number(writer: Any) -> None:  # noqa: ANN401 - a writer of pyHanko
    """The page stays as it is; the object that it names is another one."""
    named = first_page(writer).raw_get("/Contents")
    writer.objects[(named.generation, named.idnum)] = StreamObject(stream_data=LIE)


def other_font(writer: Any) -> None:  # noqa: ANN401 - a writer of pyHanko
    """The same text in letters that look like others."""
    fonts = first_page(writer)["/Resources"]["/Font"]
    font = fonts[next(iter(fonts))]["/DescendantFonts"][0]
    file = font["/FontDescriptor"].raw_get("/FontFile2")
    writer.objects[(file.generation, file.idnum)] = StreamObject(stream_data=b"other letters")


def note_over_it(writer: Any) -> None:  # noqa: ANN401 - a writer of pyHanko
    box = generic.ArrayObject(map(generic.NumberObject, (0, 0, 595, 842)))
    note = DictionaryObject(
        {
            pdf_name("/Type"): pdf_name("/Annot"),
            pdf_name("/Subtype"): pdf_name("/FreeText"),
            pdf_name("/Rect"): box,
            pdf_name("/Contents"): generic.pdf_string("another handset"),
        }
    )
    page = first_page(writer)
    page["/Annots"] = generic.ArrayObject([writer.add_object(note)])
    writer.update_container(page)


def page_before_it(writer: Any) -> None:  # noqa: ANN401 - a writer of pyHanko
    pages = writer.root["/Pages"]
    page = DictionaryObject(first_page(writer))
    page["/Contents"] = writer.add_object(StreamObject(stream_data=LIE))
    pages["/Kids"].insert(0, writer.add_object(page))
    pages["/Count"] = generic.NumberObject(3)
    writer.update_container(pages)


def other_pages(writer: Any) -> None:  # noqa: ANN401 - a writer of pyHanko
    """A hidden tree of pages, which the catalogue names now."""
    page = DictionaryObject(first_page(writer))
    page["/Contents"] = writer.add_object(StreamObject(stream_data=LIE))
    tree = DictionaryObject(
        {
            pdf_name("/Type"): pdf_name("/Pages"),
            pdf_name("/Count"): generic.NumberObject(1),
            pdf_name("/Kids"): generic.ArrayObject([writer.add_object(page)]),
        }
    )
    writer.root["/Pages"] = writer.add_object(tree)
    writer.update_root()


def script(writer: Any) -> None:  # noqa: ANN401 - a writer of pyHanko
    writer.root["/OpenAction"] = DictionaryObject(
        {
            pdf_name("/S"): pdf_name("/URI"),
            pdf_name("/URI"): generic.pdf_string("https://elsewhere.example"),
        }
    )
    writer.update_root()


def unused(writer: Any) -> None:  # noqa: ANN401 - a writer of pyHanko
    """An object that nothing names: hidden now, to be shown by a later revision."""
    writer.add_object(StreamObject(stream_data=LIE))


HIDDEN: dict[str, Change] = {
    "content": other_content,
    "object of the same number": same_number,
    "font": other_font,
    "note": note_over_it,
    "page": page_before_it,
    "tree of pages": other_pages,
    "script": script,
    "unused object": unused,
}


def sign_changed(draft: bytes, key: PaperKey, change: Change) -> bytes:
    """Signed as benchd does, with one change more in the same revision."""
    writer = pdf_signing._AddsOnly(BytesIO(draft))
    change(writer)
    signer = signers.SimpleSigner(
        signing_cert=x509.Certificate.load(key.certificate),
        signing_key=keys.PrivateKeyInfo.load(key.private),
        cert_registry=SimpleCertificateStore(),
    )
    signed = BytesIO()
    room = pdf_signing._room(signer)
    signers.sign_pdf(writer, pdf_signing._metadata("x"), signer, bytes_reserved=room, output=signed)
    return signed.getvalue()


def added_to(pdf: bytes, change: Change) -> bytes:
    """The signed file with a revision more, as anybody can save one."""
    writer = IncrementalPdfFileWriter(BytesIO(pdf))
    change(writer)
    saved = BytesIO()
    writer.write(saved)
    return saved.getvalue()


def signature_of(pdf: bytes) -> EmbeddedPdfSignature:
    [signature] = PdfFileReader(BytesIO(pdf)).embedded_signatures
    return signature


def range_of(pdf: bytes) -> tuple[int, int, int]:
    """Where the signature's own room begins and ends, and how much is covered after it."""
    covered: Any = signature_of(pdf).byte_range
    before, after, rest = map(int, list(covered)[1:])
    return before, after, rest


def wrapped(pdf: bytes) -> bytes:
    """Another page, and the old signature told to cover the file as long as it is now.

    Its dictionary is written anew, packed, with as many zeros after the signature as the file has
    grown by: whoever adds up covered bytes and the signature's own gets the length of the file.
    """
    before, _, rest = range_of(pdf)
    padding, length = 0, 0
    for _ in range(40):
        made = _wrapped(pdf, length, padding)
        left = len(made) - before - rest - 2
        if left == 2 * length:
            return made
        padding += left % 2
        length = (left + left % 2) // 2
    message = "no length fits"
    raise AssertionError(message)


def _wrapped(pdf: bytes, length: int, padding: int) -> bytes:
    signature: Any = signature_of(pdf)
    writer: Any = pdf_signing._AddsOnly(BytesIO(pdf))
    writer.stream_xrefs = True
    other_content(writer)
    told = DictionaryObject(dict(signature.sig_object.items()))
    told["/Contents"] = generic.ByteStringObject(signature.pkcs7_content.ljust(length, b"\0"))
    field = writer.root["/AcroForm"]["/Fields"][0]
    field["/V"] = writer.add_object(told, obj_stream=writer.prepare_object_stream())
    writer.update_container(field)
    writer.add_object(StreamObject(stream_data=b" " * padding))
    saved = BytesIO()
    writer.write(saved)
    return saved.getvalue()


def moved(pdf: bytes) -> bytes:
    """The covered end of the file is moved away, and something else put before it.

    What a reader finds first is the copy that is covered no more; it says where the covered one is.
    """
    before, after, rest = range_of(pdf)
    begins = len(pdf) + len(LIE)
    [told] = re.findall(rb"/ByteRange \[[0-9 ]+\] *", pdf[after:])
    other = b"/ByteRange [0 %d %d %d]" % (before, begins, rest)
    return pdf[:after] + pdf[after:].replace(told, other.ljust(len(told))) + LIE + pdf[after:]


def forgotten(pdf: bytes, **told: object) -> bytes:
    """A revision more, in which the signature's dictionary says other things of itself, or none."""

    def change(writer: Any) -> None:  # noqa: ANN401 - a writer of pyHanko
        other_content(writer)
        signature = writer.root["/AcroForm"]["/Fields"][0]["/V"]
        for name, value in told.items():
            if value is None:
                del signature[f"/{name}"]
            else:
                signature[f"/{name}"] = value
        writer.update_container(signature)

    return added_to(pdf, change)
