"""Pictures in memory: turned, made smaller, encoded, without moving anything in them by a fraction of a pixel.

Knows QImage and grids. Refuses to know what is drawn in them.
"""

from __future__ import annotations

import numpy as np
from qgis.PyQt.QtCore import QBuffer, QByteArray, QIODevice
from qgis.PyQt.QtGui import QImage, QPainter, QTransform

from groundproof_qgis.i18n_text import tr
from groundproof_qgis.imagery.errors import PixelError
from groundproof_qgis.imagery.grid import Grid

PNG_QUALITY = 85
"""Qt's word for little compression: lossless as any, and ten times faster than the default."""


def turned(image: QImage, drawn: Grid, wanted: Grid) -> QImage:
    """The pixels of `wanted` out of an upright image.

    QGIS can turn a map itself, but then it stretches rasters by up to a pixel, to whole pixels of the upright map.
    """
    corners = [wanted.to_pixel(*drawn.to_map(*at)) for at in ((0, 0), (1, 0), (0, 1))]
    (x, y), (x_across, y_across), (x_down, y_down) = corners
    picture = QImage(wanted.width, wanted.height, QImage.Format.Format_ARGB32_Premultiplied)
    picture.fill(0)
    painter = QPainter(picture)
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
    painter.setTransform(QTransform(x_across - x, y_across - y, x_down - x, y_down - y, x, y))
    painter.drawImage(0, 0, image)
    painter.end()
    return picture


def averaged(image: QImage, times: int) -> QImage:
    """The image with one pixel for `times` x `times`, whose sizes it is a multiple of.

    Not QImage.scaled: its smooth transformation works in fixed point and moves edges.
    """
    if times == 1:
        return image
    image = image.convertToFormat(QImage.Format.Format_ARGB32_Premultiplied)
    width, height = image.width() // times, image.height() // times
    bits = image.constBits()
    bits.setsize(image.sizeInBytes())
    fine = np.frombuffer(bits, dtype=np.uint8).reshape(height, times, width, times, 4)
    total = np.zeros((height, width, 4), dtype=np.uint16)
    for row in range(times):
        for col in range(times):
            total += fine[:, row, :, col]
    mean = ((total + times * times // 2) // (times * times)).astype(np.uint8)
    return QImage(mean.tobytes(), width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied).copy()


def png(image: QImage) -> bytes:
    """The image as PNG, lossless: 8 bit, RGBA, colours not multiplied with alpha."""
    data = QByteArray()
    buffer = QBuffer(data)
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    if not image.convertToFormat(QImage.Format.Format_RGBA8888).save(buffer, "PNG", PNG_QUALITY):
        raise PixelError(
            tr("The picture of the map cannot be encoded as PNG. Ask about a smaller place, and report it.")
        )
    buffer.close()
    return bytes(data)
