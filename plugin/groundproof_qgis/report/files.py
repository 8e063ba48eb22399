"""A report as a file: HTML or PDF, written whole or not at all.

Knows Qt's documents and printing. Refuses to know what the report says. Both may be written from a worker thread.
"""

from __future__ import annotations

from pathlib import Path

from qgis.PyQt.QtCore import QBuffer, QByteArray, QIODevice, QMarginsF, QUrl
from qgis.PyQt.QtGui import QImage, QPageLayout, QPageSize, QPdfWriter, QTextDocument

from groundproof_qgis.answer.answer import Answer
from groundproof_qgis.report.report import PICTURE, Facts, Image, html_report, page

PDF_DPI = 300


def write_html(path: Path, answer: Answer, facts: Facts, picture: QImage | None) -> None:
    """One file with everything in it. Raises OSError."""
    beside = path.with_name(f".{path.name}.new")
    image = None if picture is None else Image.inside(png(picture), _aspect(picture))
    beside.write_text(html_report(answer, facts, image), encoding="utf-8")
    beside.replace(path)


def write_pdf(path: Path, answer: Answer, facts: Facts, picture: QImage | None) -> None:
    """A4, numbered pages. Raises OSError."""
    beside = path.with_name(f".{path.name}.new")
    beside.touch()  # a folder that cannot be written is said here; Qt would only fail
    writer = QPdfWriter(str(beside))
    writer.setResolution(PDF_DPI)
    writer.setTitle(answer.question)
    writer.setCreator("groundproof")
    writer.setPageSize(QPageSize(QPageSize.PageSizeId.A4))
    # A document that has no page size of its own is printed with margins of 2 cm and page numbers.
    writer.setPageMargins(QMarginsF(0, 0, 0, 0), QPageLayout.Unit.Millimeter)
    document = QTextDocument()
    image = None
    if picture is not None:
        image = Image(PICTURE, _aspect(picture))
        document.addResource(QTextDocument.ResourceType.ImageResource, QUrl(PICTURE), picture)
    document.setHtml(page(answer, facts, image))
    write = getattr(document, "print_", None) or document.print  # PyQt5 has only the first, PyQt6 the second
    write(writer)
    del writer  # closes the file
    beside.replace(path)


def _aspect(picture: QImage) -> float:
    return picture.height() / max(picture.width(), 1)


def png(picture: QImage) -> bytes:
    """A picture as PNG."""
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    picture.save(buffer, "PNG")
    return bytes(data)
