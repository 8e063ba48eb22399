"""How large and how long, in words a person reads at a glance.

Knows numbers and their units. Refuses to know where they come from.
"""

from __future__ import annotations

from groundproof_qgis.i18n_text import tr

KM_FROM_M = 1000.0
MEGA = 1e6
HOUR_S = 3600
MINUTES_FROM_S = 90
HOURS_FROM_S = 5400


def ground_words(width_m: float, height_m: float) -> str:
    """ "1.2 x 0.9 km" or "340 x 220 m"."""
    if max(width_m, height_m) >= KM_FROM_M:
        return tr("{width} x {height} km").format(
            width=_short(width_m / KM_FROM_M), height=_short(height_m / KM_FROM_M)
        )
    return tr("{width} x {height} m").format(width=_short(width_m), height=_short(height_m))


def pixel_words(pixels: int) -> str:
    """ "12 MP", "0.6 MP", or pixels where there are few."""
    if pixels < MEGA / 10:
        return tr("{n} px").format(n=f"{pixels:,}")
    return tr("{n} MP").format(n=_short(pixels / MEGA))


def resolution_words(gsd_m: float) -> str:
    """ "0.30 m per px"."""
    return tr("{n} m per px").format(n=f"{gsd_m:.2g}" if gsd_m < 1 else _short(gsd_m))


def duration_words(seconds: float) -> str:
    """ "40 s", "3 min", "1.5 h"; whole seconds, never less than one."""
    if seconds < MINUTES_FROM_S:
        return tr("{n} s").format(n=max(1, round(seconds)))
    if seconds < HOURS_FROM_S:
        return tr("{n} min").format(n=round(seconds / 60))
    return tr("{n} h").format(n=f"{seconds / HOUR_S:.1f}")


def bytes_words(pixels: int) -> str:
    """How much would be sent at most, uncompressed RGB: "36 MB"."""
    return tr("at most {n} MB").format(n=_short(max(0.1, pixels * 3 / MEGA)))


def _short(value: float) -> str:
    """Two digits that matter, three from 10 on; never an exponent."""
    if value >= 10:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 1 else f"{value:.2f}"
