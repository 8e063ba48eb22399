"""How long merging takes, and that it gives what the dense version gives: python scripts/bench_parts/merge.py

Objects are scattered over a scene, every tile draws the ones it sees with some error and cut at its edges, as
models do. Sparse: about three objects in 100 x 100 px. Crowded: so many that boxes of one tile overlap.
"""

from __future__ import annotations

import resource
import time
import tracemalloc

import numpy as np

from groundproof.merge import SeenBoxes, merge

TILE_PX, OVERLAP_PX = 896, 128
LABELS = 4


def seen_boxes(count: int, objects_per_tile: float, seed: int = 0) -> SeenBoxes:
    """About `count` boxes, exactly `count` when enough are drawn, as square grids of tiles would see them."""
    rng = np.random.default_rng(seed)
    step = TILE_PX - OVERLAP_PX
    side = int(np.ceil(np.sqrt(count / objects_per_tile / 1.2))) + 1
    size = step * side + OVERLAP_PX
    low = np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1).reshape(-1, 2) * float(step)
    windows = np.concatenate([low, low + TILE_PX], axis=1)
    centre = rng.uniform(0, size, (int(count * 1.1), 2))
    half = rng.uniform(6, 40, (len(centre), 2))
    label = rng.integers(0, LABELS, len(centre))
    rows = []
    for dx in (0, 1):
        for dy in (0, 1):
            cell = np.floor(centre / step).astype(np.int64) - (dx, dy)
            tile = cell[:, 1] * side + cell[:, 0]
            inside = ((cell >= 0) & (cell < side)).all(axis=1)
            jitter = rng.normal(0, 1.5, (len(centre), 4))
            box = np.concatenate([centre - half, centre + half], axis=1) + jitter
            window = windows[np.where(inside, tile, 0)]
            box = np.concatenate(
                [np.maximum(box[:, :2], window[:, :2]), np.minimum(box[:, 2:], window[:, 2:])], axis=1
            )
            inside &= (box[:, 2:] - box[:, :2] > 4.0).all(axis=1)
            rows.append((box[inside], label[inside], tile[inside]))
    box, label, tile = (np.concatenate(column) for column in zip(*rows, strict=True))
    pick = np.sort(rng.permutation(len(box))[:count])
    image = np.zeros(len(pick), dtype=np.int64)
    return SeenBoxes(
        box[pick], label[pick], image, tile[pick], windows, np.arange(len(windows)), (size, size)
    )


def dense_keepers(seen: SeenBoxes, threshold: float = 0.5, chunk: int = 100) -> np.ndarray:
    """Keepers by comparing every box with every other one, in chunks of rows, then one pair at a time."""
    box, window = seen.xyxy, seen.windows[seen.tile]
    width, height = seen.scene_size
    inner = window * [1, 1, -1, -1] > np.array([0, 0, -width, -height])
    gap = np.where(inner, (box - window) * [1, 1, -1, -1], np.inf)
    cut, distance = gap <= np.asarray(seen.edge_tolerance_px), np.maximum(gap.min(axis=1), 0)
    area = (box[:, 2] - box[:, 0]) * (box[:, 3] - box[:, 1])

    def common(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        wide = np.minimum(a[..., 2], b[..., 2]) - np.maximum(a[..., 0], b[..., 0])
        high = np.minimum(a[..., 3], b[..., 3]) - np.maximum(a[..., 1], b[..., 1])
        return np.maximum(wide, 0) * np.maximum(high, 0)

    pairs = []
    for at in range(0, len(box), chunk):
        p = slice(at, at + chunk)
        both = common(box[p, None], box[None])
        allowed = (seen.tile[p, None] != seen.tile) & (seen.label[p, None] == seen.label)
        allowed &= (seen.image[p, None] == seen.image) & (both > 0)
        allowed &= np.arange(len(box))[p, None] < np.arange(len(box))
        i, j = np.nonzero(allowed)
        i, both = i + at, both[i, j]
        wa, wb = window[i], window[j]
        band = np.concatenate([np.maximum(wa[:, :2], wb[:, :2]), np.minimum(wa[:, 2:], wb[:, 2:])], axis=1)
        in_a, in_b = common(box[i], band), common(box[j], band)
        low, high = [0, 1, 0, 1], [2, 3, 2, 3]
        facing = (cut[i] & (wa > wb[:, low]) & (wa < wb[:, high])).any(axis=1)
        facing &= (cut[j] & (wb > wa[:, low]) & (wb < wa[:, high])).any(axis=1)
        touched = cut[i].any(axis=1) | cut[j].any(axis=1)
        smaller = np.where(facing, np.minimum(in_a, in_b), np.minimum(area[i], area[j]))
        value = both / np.where(touched, smaller, area[i] + area[j] - both)
        good = (value >= threshold) & (in_a > 0) & (in_b > 0)
        pairs += list(zip(value[good].tolist(), i[good].tolist(), j[good].tolist(), strict=True))
    rank = seen.tile_rank[seen.tile]
    best_first = sorted(
        range(len(box)), key=lambda k: (-distance[k], -area[k], rank[k], tuple(box[k]), seen.label[k])
    )
    place = {k: n for n, k in enumerate(best_first)}
    group = {k: {k} for k in range(len(box))}
    for _, i, j in sorted(pairs, key=lambda q: (-q[0], *sorted((place[q[1]], place[q[2]])))):
        joined = group[i] | group[j]
        if group[i] is not group[j] and len({int(seen.tile[k]) for k in joined}) == len(joined):
            for k in joined:
                group[k] = joined
    return np.array([min(group[k], key=place.__getitem__) for k in range(len(box))])


def run(large: int = 1_000_000, small: int = 20_000) -> list[dict[str, object]]:
    """One row per measurement. seconds: wall clock; cpu_seconds: of this process; bytes_per_box: peak of
    numpy and Python memory while merging."""
    rows: list[dict[str, object]] = []
    for name, per_tile in (("sparse", 25.0), ("crowded", 400.0)):
        seen = seen_boxes(small, per_tile)
        start = time.perf_counter()
        merged = merge(seen)
        ours = time.perf_counter() - start
        start = time.perf_counter()
        same = bool(np.array_equal(merged.keeper, dense_keepers(seen)))
        dense = time.perf_counter() - start
        rows.append(
            {
                "part": "merge",
                "case": name,
                "boxes": len(seen.xyxy),
                "objects": len(merged.keepers),
                "seconds": ours,
                "dense_seconds": dense,
                "same_as_dense": same,
            }
        )
        for count in (large // 4, large):
            seen = seen_boxes(count, per_tile)
            start, cpu = time.perf_counter(), time.process_time()
            merged = merge(seen)
            ours, cpu = time.perf_counter() - start, time.process_time() - cpu
            tracemalloc.start()
            merge(seen)
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            rows.append(
                {
                    "part": "merge",
                    "case": name,
                    "boxes": len(seen.xyxy),
                    "objects": len(merged.keepers),
                    "seconds": ours,
                    "cpu_seconds": cpu,
                    "bytes_per_box": round(peak / len(seen.xyxy)),
                    "process_peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
                }
            )
    return rows


def main() -> None:
    """Print the table."""
    for row in run():
        print("  ".join(f"{k}={v:.3f}" if isinstance(v, float) else f"{k}={v}" for k, v in row.items()))


if __name__ == "__main__":
    main()
