"""Which pixels are asked about: what you see, a map theme, or a raster layer's own.

Knows choices of pixels. Refuses to know resolution and bands (ask_options) and how pixels are read.
"""

from __future__ import annotations

from qgis.PyQt.QtCore import pyqtSignal
from qgis.PyQt.QtWidgets import QFormLayout, QVBoxLayout, QWidget

from groundproof_qgis.gui.layer_choices import LayerList, RasterChoice
from groundproof_qgis.gui.narrow_combo import NarrowCombo
from groundproof_qgis.i18n_text import tr
from groundproof_qgis.imagery.what import LayerPixels, Pixels, Seen

SEEN = ("seen", "")


def resolution_words(metres: float) -> str:
    """ "0.30 m", "10 m"."""
    return tr("{n} m").format(n=f"{metres:.2f}" if metres < 10 else f"{metres:.0f}")


class PixelsField(QWidget):
    """One list, or two (before, after) when two dates are compared."""

    changed = pyqtSignal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._layers = LayerList()
        self.one = NarrowCombo(tr("Pixels"))
        self.before = NarrowCombo(tr("Pixels of the earlier date"))
        self.after = NarrowCombo(tr("Pixels of the later date"))
        self._dates = QWidget()
        dates = QFormLayout(self._dates)
        dates.setContentsMargins(0, 0, 0, 0)
        dates.addRow(tr("Before"), self.before)
        dates.addRow(tr("After"), self.after)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.one)
        column.addWidget(self._dates)
        for combo in (self.one, self.before, self.after):
            combo.picked.connect(self.changed)
        self._two = False
        self.set_layers(self._layers)
        self.set_two_dates(False)

    def set_layers(self, layers: LayerList) -> None:
        """What the project has now."""
        self._layers = layers
        items: list[tuple[tuple[str, str] | None, str, str]] = [
            (SEEN, tr("What you see"), tr("The map as it is drawn, without labels and without result layers"))
        ]
        items += [
            (("theme", name), tr("Map theme {name}").format(name=name), tr("The map as this theme draws it"))
            for name in layers.themes
        ]
        if layers.rasters:
            items.append((None, "", ""))
        items += [(("layer", one.layer_id), _raster_words(one), _raster_tip(one)) for one in layers.rasters]
        fresh = self.after.count() <= 1
        for combo in (self.one, self.before, self.after):
            combo.set_items(items)
        if fresh and len(layers.rasters) > 1:  # the lower layer is more often the older one
            self.before.pick(("layer", layers.rasters[1].layer_id))
            self.after.pick(("layer", layers.rasters[0].layer_id))

    def set_two_dates(self, two: bool) -> None:
        """Whether two dates are compared."""
        self._two = two
        self.one.setVisible(not two)
        self._dates.setVisible(two)
        self.changed.emit()

    def pick(self, choice: Pixels, which: NarrowCombo | None = None) -> bool:
        """Show this choice; whether the project still has it."""
        combo = which or self.one
        if isinstance(choice, LayerPixels):
            return combo.pick(("layer", choice.layer_id))
        return combo.pick(("theme", choice.theme) if choice.theme else SEEN)

    @property
    def raster(self) -> RasterChoice | None:
        """The raster layer whose pixels are meant; None for what is seen. With two dates the later one."""
        key = (self.after if self._two else self.one).key
        return next((one for one in self._layers.rasters if key == ("layer", one.layer_id)), None)

    @property
    def problem(self) -> str:
        """Why this cannot be asked, as a sentence; "" when it can."""
        if self._two and self.before.key == self.after.key:
            return tr("Before and after are the same. Choose two layers or map themes of different dates.")
        return ""

    def choices(
        self, resolution: float | None, bands: tuple[int, ...] | None, styled: bool
    ) -> tuple[Pixels, ...]:
        """One, or two with the earlier first. resolution: metres per px, None for automatic."""
        combos = (self.before, self.after) if self._two else (self.one,)
        return tuple(_choice(combo.key, resolution, bands, styled) for combo in combos)


def _choice(
    key: tuple[str, str], resolution: float | None, bands: tuple[int, ...] | None, styled: bool
) -> Pixels:
    kind, name = key
    if kind == "layer":
        return LayerPixels(layer_id=name, resolution=resolution, bands=bands, styled=styled)
    return Seen(resolution_m=resolution, theme=name or None)


def _raster_words(one: RasterChoice) -> str:
    if one.native_m is None:
        return one.name
    return tr("{layer} (native {resolution})").format(
        layer=one.name, resolution=resolution_words(one.native_m)
    )


def _raster_tip(one: RasterChoice) -> str:
    if one.native_m is None:
        return tr("{layer}: pixels of the service, at the resolution of the map").format(layer=one.name)
    return tr("{layer}: its own pixels of {resolution}, not as they are drawn").format(
        layer=one.name, resolution=resolution_words(one.native_m)
    )
