"""One page about a run of rationales: numbers, then pictures with numbered boxes and the sentences that cite them.

Knows cards and statistics. Refuses to know how they came about. Needs nothing beside itself.
"""

from __future__ import annotations

import base64
import html
import io
import re
from pathlib import Path

from groundproof_training.rationales.making import Card, Maker
from groundproof_training.readers.base import open_shown
from groundproof_training.samples import Sample, SampleImage

SIDE_PX = 520
COLOURS = (
    "#e6194b",
    "#3cb44b",
    "#0082c8",
    "#f58231",
    "#911eb4",
    "#008080",
    "#9a6324",
    "#808000",
    "#000075",
    "#e6007e",
)

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Rationales</title><style>
body{font:14px/1.5 system-ui,sans-serif;margin:2em auto;max-width:76em;padding:0 1em;color:#222;background:#fff}
table{border-collapse:collapse;margin:.5em 0}td,th{border:1px solid #ccc;padding:.2em .6em;text-align:left}
.card{display:flex;gap:1.5em;border-top:1px solid #ccc;padding:1em 0;flex-wrap:wrap}.text{flex:1;min-width:22em}
svg{max-width:520px;height:auto;background:#eee}rect{fill:none;stroke-width:2;vector-effect:non-scaling-stroke}
.e{color:#fff;border-radius:.3em;padding:0 .35em;font-weight:bold;font-size:12px}.q{font-weight:bold}
.hot rect{fill:currentColor;fill-opacity:.35}pre{white-space:pre-wrap;background:#f4f4f4;padding:.5em;font-size:12px}
</style><h1>Rationales</h1>
BODY
<script>
for (const one of document.querySelectorAll(".e")) {
  const box = document.getElementById(one.dataset.box);
  if (!box) continue;
  one.onmouseenter = () => box.classList.add("hot");
  one.onmouseleave = () => box.classList.remove("hot");
}
</script></html>
"""


def write_report(maker: Maker, file: Path) -> None:
    """After `Maker.make` has been read to its end. Raises OSError."""
    numbers = maker.statistics.as_json(maker.settings)
    rows = []
    for name, value in numbers.items():
        if name != "settings" and value not in (None, {}, 0):
            shown = (
                ", ".join(f"{k}: {v}" for k, v in value.items()) if isinstance(value, dict) else str(value)
            )
            rows.append(
                f"<tr><th>{html.escape(name.replace('_', ' '))}</th><td>{html.escape(shown)}</td></tr>"
            )
    body = [f"<table>{''.join(rows)}</table>"]
    if maker.problems.counts:
        body.append(f"<h2>Left out</h2><pre>{html.escape(chr(10).join(maker.problems.lines()))}</pre>")
    body += [_card(maker, number, card) for number, card in enumerate(maker.cards)]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(_PAGE.replace("BODY", "\n".join(body)), encoding="utf-8")


def _card(maker: Maker, number: int, card: Card) -> str:
    sample, rationale = card.sample, card.sample.rationale
    cited = {line.box: n for n, line in enumerate(rationale.evidence, start=1)} if rationale else {}
    pictures = "".join(_picture(maker.root, sample, k, number, cited) for k in range(len(sample.images)))
    said = [
        f"<p>{html.escape(sample.source)} · {sample.task} · {html.escape(sample.sample_id)} · <b>{card.made}</b></p>",
        f"<p class=q>{html.escape(sample.question)}</p>",
    ]
    if rationale:
        said.append(f"<p>{html.escape(rationale.plan)}</p>")
        said += [
            f"<p>{_badge(n, f'b{number}-{line.box}')} {html.escape(line.text)}</p>"
            for n, line in enumerate(rationale.evidence, start=1)
        ]
        if not rationale.evidence and (absent := rationale.absent or " or ".join(sample.asked)):
            said.append(f"<p>No {html.escape(absent)} is visible.</p>")
        said.append(f"<p>{_linked(rationale.synthesis, number, {n: box for box, n in cited.items()})}</p>")
        said.append(f"<p><b>{html.escape(sample.answer or f'{len(sample.counted)} boxes')}</b></p>")
    for attempt_number, attempt in enumerate(card.attempts, start=1):
        if attempt.reasons:
            reasons = "".join(f"<li>{html.escape(reason)}</li>" for reason in attempt.reasons)
            said.append(
                f"<details><summary>Attempt {attempt_number} was rejected</summary><ul>{reasons}</ul>"
                f"<pre>{html.escape(attempt.text[:4000])}</pre></details>"
            )
    return f"<div class=card><div>{pictures}</div><div class=text>{''.join(said)}</div></div>"


def _badge(n: int, box: str) -> str:
    return f'<span class=e style="background:{COLOURS[(n - 1) % len(COLOURS)]}" data-box="{box}">E{n}</span>'


def _linked(text: str, card: int, box_of: dict[int, int]) -> str:
    """The text with its E-numbers as badges."""

    def badge(match: re.Match[str]) -> str:
        n = int(match[1])
        return _badge(n, f"b{card}-{box_of[n]}") if n in box_of else match[0]

    return re.sub(r"\bE(\d{1,5})\b", badge, html.escape(text))


def _picture(root: Path, sample: Sample, k: int, card: int, cited: dict[int, int]) -> str:
    image: SampleImage = sample.images[k]
    x0, y0, x1, y1 = image.shown
    try:
        shown = open_shown(root, image)
    except (OSError, ValueError) as err:
        return f"<p>{html.escape(image.path)} cannot be shown: {html.escape(str(err)[:120])}</p>"
    shown.thumbnail((SIDE_PX, SIDE_PX))
    kept = io.BytesIO()
    shown.save(kept, format="JPEG", quality=82)
    data = base64.b64encode(kept.getvalue()).decode()
    width, height = x1 - x0, y1 - y0
    size = max(width, height) / 28
    shapes = []
    for j, box in enumerate(sample.boxes):
        if box.image != k:
            continue
        n = cited.get(j)
        colour = COLOURS[(n - 1) % len(COLOURS)] if n else "#ffffff"
        dashed = "" if n else ' stroke-dasharray="4"'
        left, top = box.x0 - x0, box.y0 - y0
        place = f'x="{left:.1f}" y="{top - size / 6:.1f}" font-size="{size:.1f}"'
        name = f'<text {place} fill="{colour}">E{n}</text>' if n else ""
        rect = f'x="{left:.1f}" y="{top:.1f}" width="{box.x1 - box.x0:.1f}" height="{box.y1 - box.y0:.1f}"'
        shapes.append(
            f'<g id="b{card}-{j}" style="color:{colour}"><rect {rect} stroke="{colour}"{dashed}/>{name}</g>'
        )
    for region in sample.regions:
        if region.image == k:
            rect = f'x="{region.x0 - x0:.1f}" y="{region.y0 - y0:.1f}"'
            rect += f' width="{region.x1 - region.x0:.1f}" height="{region.y1 - region.y0:.1f}"'
            shapes.append(f'<rect {rect} stroke="#ffff00" stroke-dasharray="8 4"/>')
    wide = SIDE_PX if width >= height else SIDE_PX * width // height
    return (
        f'<svg viewBox="0 0 {width} {height}" width="{wide}"><image href="data:image/jpeg;base64,{data}" '
        f'width="{width}" height="{height}" preserveAspectRatio="none"/>{"".join(shapes)}</svg>'
    )
