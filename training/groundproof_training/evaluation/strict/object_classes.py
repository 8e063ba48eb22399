"""Which class each box belongs to, for figures that are made class by class. Knows names; refuses to know overlaps
beyond the pairs it is given.

A true box's class is its own name, else the one thing asked for. A predicted box has the class of that name; else the
class of its own case that its name may be ("plane" where airplanes are true; a box without a name where one class is
asked for), of several the one it overlaps most; else a class elsewhere in the data set that is the same by name; else
none that is true anywhere, so that it is in no class's average (it still is a wrong box of all boxes).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from groundproof.labels import normalise
from groundproof_training.evaluation.cases import Case
from groundproof_training.evaluation.strict.columns import Columns, asked_of, may_be
from groundproof_training.metrics.overlaps import Ints, Overlaps
from groundproof_training.samples.labels import class_name, same_class

UNNAMED = "object"


def object_classes(
    said: Columns, true: Columns, pairs: Overlaps, cases: Sequence[Case]
) -> tuple[tuple[str, ...], Ints, Ints]:
    """Names of the true classes, sorted; class of each predicted box (n,), len(names) for none; of each true one (m,).

    pairs: those whose names fit (`columns.fitting`).
    """
    asked, askings = asked_of(cases)
    spelt = [_by_asking(true.names, asking) for asking in askings]
    names = tuple(sorted({name for row in _used(true, asked) for name in (spelt[row[1]][row[0]],)}))
    place = {name: k for k, name in enumerate(names)}
    table = np.array([[place.get(name, -1) for name in row] for row in spelt], dtype=np.int64)
    table = table.reshape(len(askings), len(true.names))
    true_class = table[asked[true.case], true.label] if len(true) else np.zeros(0, dtype=np.int64)

    exact = np.array([place.get(class_name(name), -1) if name else -1 for name in said.names], dtype=np.int64)
    said_class = exact[said.label] if len(said) else np.zeros(0, dtype=np.int64)
    open_ones = np.flatnonzero(said_class < 0)
    if len(open_ones):
        said_class[open_ones] = _resolve(open_ones, said, true, true_class, pairs, names, asked, askings)
    return names, said_class, true_class


def _used(boxes: Columns, asked: Ints) -> list[tuple[int, int]]:
    """Pairs of name and question that occur."""
    width = int(asked.max()) + 1 if len(asked) else 1
    keys = np.unique(boxes.label * width + asked[boxes.case])
    return [divmod(key, width) for key in keys.tolist()]


def _by_asking(names: Sequence[str], asking: tuple[str, ...]) -> list[str]:
    alone = class_name(asking[0]) if len(asking) == 1 else UNNAMED
    return [class_name(name) or alone for name in names]


def _resolve(
    boxes: Ints,
    said: Columns,
    true: Columns,
    true_class: Ints,
    pairs: Overlaps,
    names: tuple[str, ...],
    asked: Ints,
    askings: list[tuple[str, ...]],
) -> Ints:
    there: defaultdict[int, list[int]] = defaultdict(list)
    for case, group in np.unique(np.stack([true.case, true_class], axis=1), axis=0).tolist():
        there[case].append(group)
    nearest = _nearest(pairs, true_class)
    by_noun: defaultdict[str, list[int]] = defaultdict(list)
    for k, name in enumerate(names):
        by_noun[normalise(name)].append(k)
    known: dict[tuple[int, int, tuple[int, ...]], tuple[int, ...]] = {}
    found = np.empty(len(boxes), dtype=np.int64)
    columns = (boxes, said.label[boxes], said.case[boxes])
    for at, (box, label, case) in enumerate(zip(*(one.tolist() for one in columns), strict=True)):
        key = (label, int(asked[case]), tuple(there.get(case, ())))
        if key not in known:
            known[key] = _possible(said.names[label], askings[key[1]], key[2], names, by_noun)
        possible = known[key]
        found[at] = nearest[box] if nearest[box] in possible else possible[0]
    return found


def _nearest(pairs: Overlaps, true_class: Ints) -> Ints:
    """Class of the true box that each prediction overlaps most, -1 for none."""
    order = np.lexsort((pairs.iou, pairs.said))
    nearest = np.full(pairs.shape[0], -1, dtype=np.int64)
    nearest[pairs.said[order]] = true_class[pairs.true[order]]  # the last one written is the best
    return nearest


def _possible(
    said: str,
    asking: tuple[str, ...],
    here: tuple[int, ...],
    names: tuple[str, ...],
    by_noun: dict[str, list[int]],
) -> tuple[int, ...]:
    fits = tuple(k for k in here if may_be(said, "" if names[k] == UNNAMED else names[k], asking))
    if fits:
        return fits
    name = said.strip() or (asking[0] if len(asking) == 1 else "")
    if not name and UNNAMED in names:
        return (names.index(UNNAMED),)
    same = [k for k in by_noun.get(normalise(name), []) if same_class(name, names[k])]
    return (same[0],) if name and same else (len(names),)
