"""RRSIS-D: expressions with masks in the REFER form, read for their boxes.

Knows that its references are a pickle from the net, which can run anything when it is opened the usual way: only plain
data is allowed here. Refuses to decode masks; the box is that of `instances.json`.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from math import isfinite
from pathlib import Path
from typing import Any, Literal, NoReturn

from groundproof.protocol import Task
from groundproof_training.errors import TrainingError
from groundproof_training.readers.base import (
    DatasetCard,
    Options,
    Problems,
    Reader,
    WrongFolderError,
    is_id,
    need,
    stated_size,
)
from groundproof_training.readers.sources import Images, check_split, load_json, make, options_of
from groundproof_training.readers.texts import class_words
from groundproof_training.samples import Sample, SampleImage, Split, TrueBox

REFS, INSTANCES = "rrsisd/refs(unc).p", "rrsisd/instances.json"

CARD = DatasetCard(
    name="rrsis-d",
    title="RRSIS-D",
    tasks=(Task.GROUND,),
    licence="not given (images are DIOR's, research use)",
    source="GitHub Lsan2401/RMSIN",
    layout=(REFS, INSTANCES, "images/rrsisd/JPEGImages/*.jpg"),
    splits=("train", "val", "test"),
    counts={"expressions": 17_402},
    verified="Tree from the authors' README, keys from the REFER API they use; not seen by us. Their split of "
    "12,181/1,740/3,481 is second-hand.",
)


class RrsisOptions(Options):
    """bbox: how `instances.json` writes boxes; COCO's is left, top, width, height."""

    bbox: Literal["xywh", "xyxy"] = "xywh"


class _Plain(pickle.Unpickler):
    """Builds nothing but built-in values: any name a pickle asks for is refused before it is looked up."""

    def find_class(self, module: str, name: str) -> NoReturn:
        raise pickle.UnpicklingError(f"it asks for {module}.{name}")


def load_plain_pickle(file: Path) -> Any:
    """A pickle of plain data (lists, dicts, texts, numbers). Raises TrainingError for any other."""
    try:
        with file.open("rb") as source:
            return _Plain(source, encoding="utf-8", errors="replace").load()
    except (
        pickle.UnpicklingError,
        EOFError,
        ValueError,
        IndexError,
        KeyError,
        AttributeError,
        TypeError,
        OverflowError,
        RecursionError,
        MemoryError,
    ) as err:
        raise TrainingError(
            f"{file} is not a pickle of plain data ({err or type(err).__name__}), so it was not opened: a pickle can "
            "run any program. Get it from the authors again."
        ) from err


class RrsisD:
    """See the module."""

    card = CARD
    options = RrsisOptions

    def read(self, root: Path, split: Split, options: Options, problems: Problems) -> Iterator[Sample]:
        """Reference by reference, each of its sentences a sample."""
        own = options_of(RrsisOptions, options)
        check_split(CARD, split)
        need(root, CARD, (REFS, INSTANCES))
        content = load_json(root, INSTANCES, CARD)
        references = load_plain_pickle(root / REFS)
        lists = [content.get(key) if isinstance(content, dict) else None for key in ("images", "annotations")]
        if not all(isinstance(part, list) for part in (*lists, references)):
            raise WrongFolderError(root, CARD, f'"images" and "annotations" in {INSTANCES}, a list in {REFS}')
        return self._samples(root, split, own, problems, content, references)

    def _samples(
        self,
        root: Path,
        split: Split,
        options: RrsisOptions,
        problems: Problems,
        content: dict[str, Any],
        references: list[Any],
    ) -> Iterator[Sample]:
        pictures, objects, categories = (
            _by_id(content.get(key) or [], key, problems) for key in ("images", "annotations", "categories")
        )
        names = {key: class_words(str(row.get("name"))) for key, row in categories.items()}
        images = Images(root, options, problems)
        for number, reference in enumerate(references):
            if not isinstance(reference, dict) or reference.get("split") != split:
                continue
            where = f"reference {reference.get('ref_id', number)}"
            ids = reference.get("ann_id"), reference.get("image_id")
            thing, picture = (
                (objects.get(ids[0]), pictures.get(ids[1])) if all(map(is_id, ids)) else (None, None)
            )
            if thing is None or picture is None:
                problems.add("broken label", where, "its object or image is not in instances.json")
                continue
            path = f"images/rrsisd/JPEGImages/{picture.get('file_name')}"
            image = images.get(path, where, stated_size(picture.get("width"), picture.get("height")))
            if image is None:
                continue
            kind = thing.get("category_id")
            label = names.get(kind, "object") if is_id(kind) else "object"
            box = _box(thing.get("bbox"), options.bbox, image, label, where, problems)
            if box is None:
                continue
            sentences = reference.get("sentences")
            for sentence in sentences if isinstance(sentences, list) else ():
                if not isinstance(sentence, dict):
                    problems.add("broken label", where, f"no sentence: {str(sentence)[:60]}")
                    continue
                words = " ".join(str(sentence.get("raw") or sentence.get("sent") or "").split())
                if not words:
                    problems.add("broken label", where, "an empty sentence")
                    continue
                sample = make(
                    problems, where, sample_id=f"rrsis-d/{reference.get('ref_id', number)}/{sentence.get('sent_id')}",
                    source=CARD.name, split=split, licence=CARD.licence, task=Task.GROUND, images=(image,),
                    question=words, asked=(label,), boxes=(box.model_copy(update={"phrase": words}),),
                )  # fmt: skip
                if sample is not None:
                    yield sample


def _by_id(rows: list[Any], what: str, problems: Problems) -> dict[Any, dict[str, Any]]:
    """Rows by their id; those without one are noted."""
    found: dict[Any, dict[str, Any]] = {}
    for number, row in enumerate(rows):
        if isinstance(row, dict) and is_id(row.get("id")):
            found[row["id"]] = row
        else:
            problems.add("broken label", f"{INSTANCES}, {what}[{number}]", f"no id: {str(row)[:60]}")
    return found


def _box(
    numbers: Any,
    form: Literal["xywh", "xyxy"],
    image: SampleImage,
    label: str,
    where: str,
    problems: Problems,
) -> TrueBox | None:
    if not isinstance(numbers, list) or len(numbers) != 4:
        problems.add("broken label", where, f"no box of four numbers: {numbers!r}")
        return None
    try:
        x0, y0, x1, y1 = (float(n) for n in numbers)
    except (TypeError, ValueError) as err:
        problems.add("broken label", where, f"no box of four numbers: {err}")
        return None
    if form == "xywh":
        x1, y1 = x0 + x1, y0 + y1
    if not all(map(isfinite, (x0, y0, x1, y1))):
        problems.add("broken label", where, f"no box of four numbers: {numbers!r}")
        return None
    if x0 < -1 or y0 < -1 or x1 > image.width + 1 or y1 > image.height + 1:
        of = f"{numbers} read as {form}, of {image.width} x {image.height} px"
        problems.add("box outside", where, f"{of}; the option `bbox` says how they are written")
        return None
    x0, y0, x1, y1 = max(x0, 0.0), max(y0, 0.0), min(x1, float(image.width)), min(y1, float(image.height))
    if x0 >= x1 or y0 >= y1:
        problems.add("empty box", where, f"{numbers} read as {form}")
        return None
    return TrueBox(label=label, x0=x0, y0=y0, x1=x1, y1=y1)


READERS: tuple[Reader, ...] = (RrsisD(),)
