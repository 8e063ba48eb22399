"""What the QGIS plugin costs, in the real desktop without a screen: python scripts/bench_parts/plugin.py

1. The longest time QGIS's GUI stood still (a timer of 5 ms) while the dock asked about a scene of 64 tiles; the
   baseline is the same desktop while the engine's command line answers the same question beside it.
2. From the click on Ask to the first box drawn on the canvas, against the engine's own time from the first byte of the
   scene to its first `evidence` event, with a plain HTTP client.
3. 50,000 boxes: coming 500 at a time, ten times a second; moving the map; selecting; the saved result opened. The
   baseline is a plain memory layer of QGIS with the same polygons, and of what is saved the same file opened by QGIS.

Stalls are told without the time in which QGIS's thread had to wait for a core, because other programs had them, and in
brackets as felt.

The plugin is the built zip, installed into a fresh profile; the engine is the embedded model. Needs QGIS and Xvfb.
"""

from __future__ import annotations

import json
import re
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
import rasterio
from asking import QUESTION, SIDE_PX, write_scene

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.plugin.e2e.desktop import Desktop  # noqa: E402

SCENARIOS = Path(__file__).with_name("plugin_scenarios.py")
GROUNDPROOF = Path(sys.executable).with_name("groundproof")
ASKS = 4
"""The first one warms the model up and does not count."""
BOXES = 50_000


def engine_seconds(scene: Path, folder: Path) -> list[float]:
    """From the first byte sent to the first evidence event, for each of ASKS questions."""
    token = secrets.token_urlsafe(24)
    command = [
        GROUNDPROOF,
        "serve",
        "--port",
        "0",
        "--token-env",
        "BENCH",
        "--stop-with-stdin",
        "--data-dir",
        folder,
    ]
    with subprocess.Popen(  # noqa: S603
        command, env={"BENCH": token, "PATH": "/usr/bin:/bin", "HOME": str(folder)}, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
    ) as child:  # fmt: skip
        address = re.search(r"http://[\d.]+:\d+", child.stdout.readline())
        client = httpx.Client(base_url=address[0], headers={"Authorization": f"Bearer {token}"}, timeout=60)
        while not _ready(client):
            time.sleep(0.2)
        try:
            return [_first_evidence(client, scene) for _ in range(ASKS)]
        finally:
            child.stdin.close()


def _ready(client: httpx.Client) -> bool:
    try:
        return client.get("/ready").status_code == 200
    except httpx.ConnectError:
        return False


def _first_evidence(client: httpx.Client, path: Path) -> float:
    with rasterio.open(path) as source:
        pixels = source.read().transpose(1, 2, 0).tobytes()
        spec = {
            "name": path.stem, "width": source.width, "height": source.height, "crs": source.crs.to_wkt(),
            "affine": list(source.transform)[:6], "bands": 3, "dtype": "uint8",
        }  # fmt: skip
    began = time.perf_counter()
    scene = client.post("/scenes", json=spec).raise_for_status().json()["id"]
    window = f"/scenes/{scene}/windows/0,0?width={spec['width']}&height={spec['height']}"
    client.put(
        window, content=pixels, headers={"Content-Type": "application/octet-stream"}
    ).raise_for_status()
    question = {"question": QUESTION, "scenes": [{"id": scene}]}
    job = client.post("/ask", json=question).raise_for_status().json()["jobID"]
    taken = None
    with client.stream("GET", f"/jobs/{job}/events", headers={"Accept": "text/event-stream"}) as events:
        for line in events.iter_lines():
            if taken is None and line.strip() == "event: evidence":
                taken = time.perf_counter() - began
            if line.strip() == "event: done":
                break
    if taken is None:
        raise SystemExit("The engine answered without a single box; the scene must hold some.")
    return taken


def table(rows: list[tuple[str, str, str, str]]) -> None:
    """Print measurements beside their baselines."""
    for row in [("part", "plugin", "baseline", "ratio"), *rows]:
        print(f"{row[0]:58} {row[1]:>16} {row[2]:>16} {row[3]:>7}")


Measured = float | list[float]
"""Seconds; of stalls (QGIS's own, as felt)."""


def _ms(seconds: Measured) -> str:
    if isinstance(seconds, list):
        return f"{1000 * seconds[0]:.0f} ms ({1000 * seconds[1]:.0f})"
    return f"{1000 * seconds:.0f} ms"


def _row(what: str, ours: Measured, baseline: Measured | None) -> tuple[str, str, str, str]:
    if baseline is None:
        return what, _ms(ours), "", ""
    ratio = ours[0] / baseline[0] if isinstance(ours, list) else ours / baseline
    return what, _ms(ours), _ms(baseline), f"{ratio:.2f}"


def main() -> None:
    """All three parts."""
    packaged = subprocess.run(  # noqa: S603
        [ROOT / "scripts" / "package_plugin"], check=True, capture_output=True, text=True
    )
    zip_path = packaged.stdout.splitlines()[-1]
    with tempfile.TemporaryDirectory(dir=ROOT / "out") as name:
        folder = Path(name)
        scene, result = folder / "scene.tif", folder / "result.gpkg"
        write_scene(scene, SIDE_PX)
        command_line = [str(GROUNDPROOF), "ask", str(scene), "-q", QUESTION, "-o", str(result)]
        subprocess.run(command_line, check=True, capture_output=True)  # noqa: S603
        (folder / "engine").mkdir()
        own = engine_seconds(scene, folder / "engine")[1:]
        words = {"zip_path": zip_path, "engine": str(GROUNDPROOF)}
        asked = Desktop(folder / "asking").run(
            SCENARIOS, "asks", seconds=900, raster=str(scene), question=QUESTION, asks=ASKS,
            command_line=[*command_line[:-1], str(folder / "beside.gpkg")], **words,
        )["result"]  # fmt: skip
        many = Desktop(folder / "many").run(
            SCENARIOS, "shows_many", seconds=900, boxes=BOXES, result=str(result), **words
        )["result"]
    first = statistics.median(asked["first_box"][1:])
    table(
        [
            _row(
                f"longest stall, asking about {asked['tiles']} tiles", asked["stall"], asked["stall_beside"]
            ),
            _row("the same, from the first box to the last", asked["stall_growing"], asked["stall_beside"]),
            _row("click to first box on the canvas, against the engine", first, statistics.median(own)),
            _row(f"{BOXES} boxes come: longest stall", many["stall_adding"], many["stall_idle"]),
            _row("  map moved: drawn again", many["draw"], many["draw_plain"]),
            _row("  map moved: longest stall", many["stall_moving"], many["stall_moving_plain"]),
            _row(
                "  a quarter selected: longest stall", many["stall_selecting"], many["stall_selecting_plain"]
            ),
            _row("saved result of as many opened: until it is shown", many["opened"], None),
            _row("  longest stall meanwhile", many["stall_opening"], many["stall_opening_plain"]),
            _row("  map moved: drawn again", many["draw_saved"], many["draw_saved_plain"]),
            _row("  map moved: longest stall", many["stall_moving_saved"], many["stall_moving_saved_plain"]),
            _row(
                "  a quarter selected: longest stall",
                many["stall_selecting_saved"],
                many["stall_selecting_saved_plain"],
            ),
        ]
    )
    print(json.dumps({"asked": asked, "many": many, "engine": own}))


if __name__ == "__main__":
    main()
