"""Captioned images: RSICD, UCM-Captions, Sydney-Captions and RSITMD (Karpathy's JSON), and NWPU-Captions.

Knows their two forms of JSON. Refuses to judge a caption: all references are kept, repeated ones too, because the
published scores count them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from groundproof.protocol import Task
from groundproof_training.readers.base import DatasetCard, Options, Problems, Reader, WrongFolderError
from groundproof_training.readers.sources import (
    Images,
    check_split,
    load_json,
    make,
    options_of,
    strings,
)
from groundproof_training.samples import Sample, Split, class_name

QUESTION = "Describe the image in one sentence."
_SPLITS: dict[Any, Split] = {
    "train": "train",
    "restval": "train",
    "val": "val",
    "valid": "val",
    "test": "test",
}


class CaptionOptions(Options):
    """question: asked of every image; ours, the sets have none. each_caption: a sample for every different caption
    instead of one for the image, whose answer is its first caption; the references are all of them either way."""

    question: str = QUESTION
    each_caption: bool = False


def caption_samples(
    captions: list[str], fields: dict[str, Any], options: CaptionOptions, problems: Problems, where: str
) -> Iterator[Sample]:
    """One sample, or one for every different caption. fields: what they share, `sample_id` among it."""
    references = tuple(" ".join(c.split()) for c in captions if c.strip())
    if len(references) < len(captions):
        problems.add("empty caption", where, f"{len(captions) - len(references)} of {len(captions)}")
    if not references:
        problems.add("no caption", where, "the image was left out")
        return
    answers = tuple(dict.fromkeys(references)) if options.each_caption else references[:1]
    for number, answer in enumerate(answers):
        own = {**fields, "sample_id": f"{fields['sample_id']}#{number}"} if options.each_caption else fields
        sample = make(problems, where, **own, answer=answer, captions=references, complete=False)
        if sample is not None:
            yield sample


def first_there(root: Path, card: DatasetCard, paths: tuple[str, ...]) -> str:
    """The first of the paths below root that is there. Raises WrongFolderError naming the first."""
    for path in paths:
        if (root / path).exists():
            return path
    raise WrongFolderError(root, card, paths[0])


@dataclass(frozen=True, slots=True)
class KarpathyCaptions:
    """`{"images": [{"filename", "split", "sentences": [{"raw"}]}]}`. files, folders: where the JSON and the images may
    lie, the likeliest first. size: width and height, px, of nearly all images."""

    card: DatasetCard
    files: tuple[str, ...]
    folders: tuple[str, ...]
    size: tuple[int, int]
    options: type[Options] = CaptionOptions

    def read(self, root: Path, split: Split, options: Options, problems: Problems) -> Iterator[Sample]:
        """In the file's order."""
        own = options_of(CaptionOptions, options)
        check_split(self.card, split)
        path = first_there(root, self.card, self.files)
        content = load_json(root, path, self.card)
        if not isinstance(content, dict) or not isinstance(content.get("images"), list):
            raise WrongFolderError(root, self.card, f'a list "images" in {path}')
        folder = next((f for f in self.folders if (root / f).is_dir()), self.folders[0])
        return self._samples(root, split, own, problems, content["images"], folder)

    def _samples(
        self,
        root: Path,
        split: Split,
        options: CaptionOptions,
        problems: Problems,
        rows: list[Any],
        folder: str,
    ) -> Iterator[Sample]:
        images = Images(root, options, problems)
        ids: set[str] = set()
        for number, row in enumerate(rows):
            where = f"images[{number}]"
            if not isinstance(row, dict) or not isinstance(row.get("filename"), str):
                problems.add("broken label", where, "it has no filename")
                continue
            if _SPLITS.get(str(row.get("split"))) is None:
                problems.add("broken label", where, f"unknown split {row.get('split')!r}")
                continue
            if _SPLITS[str(row["split"])] != split:
                continue
            name = f"{self.card.name}/{row['filename']}"
            if name in ids:
                problems.add("duplicate id", where, row["filename"])
                continue
            ids.add(name)
            image = images.get(f"{folder}/{row['filename']}", where, self.size)
            if image is None:
                continue
            fields = {
                "sample_id": name, "source": self.card.name, "split": split, "licence": self.card.licence,
                "task": Task.CAPTION, "images": (image,), "question": options.question,
            }  # fmt: skip
            yield from caption_samples(sentences_of(row), fields, options, problems, where)


def sentences_of(row: dict[str, Any]) -> list[str]:
    """The raw sentences of a row; the words joined where a sentence has no raw text."""
    found = []
    listed = row.get("sentences")
    for sentence in listed if isinstance(listed, list) else ():
        if isinstance(sentence, dict) and isinstance(sentence.get("raw"), str):
            found.append(sentence["raw"])
        elif isinstance(sentence, dict):
            found.append(" ".join(strings(sentence.get("tokens"))))
    return found


@dataclass(frozen=True, slots=True)
class NwpuCaptions:
    """`{category: [{"filename", "split", "raw", "raw_1", ... "raw_4"}]}`: five captions in keys of their own."""

    card: DatasetCard
    options: type[Options] = CaptionOptions

    def read(self, root: Path, split: Split, options: Options, problems: Problems) -> Iterator[Sample]:
        """Category by category, in the file's order."""
        own = options_of(CaptionOptions, options)
        check_split(self.card, split)
        content = load_json(root, "dataset_nwpu.json", self.card)
        if not isinstance(content, dict):
            raise WrongFolderError(root, self.card, "an object of categories in dataset_nwpu.json")
        return self._samples(root, split, own, problems, content)

    def _samples(
        self, root: Path, split: Split, options: CaptionOptions, problems: Problems, content: dict[str, Any]
    ) -> Iterator[Sample]:
        images = Images(root, options, problems)
        for category, rows in content.items():
            for number, row in enumerate(rows if isinstance(rows, list) else []):
                where = f"{category}[{number}]"
                if not isinstance(row, dict) or not isinstance(row.get("filename"), str):
                    problems.add("broken label", where, "it has no filename")
                    continue
                if _SPLITS.get(str(row.get("split"))) != split:
                    if str(row.get("split")) not in _SPLITS:
                        problems.add("broken label", where, f"unknown split {row.get('split')!r}")
                    continue
                path = f"{category}/{row['filename']}"
                folders = ("", "NWPU-RESISC45/", "NWPU_images/", "images/")
                image = images.one_of(tuple(f + path for f in folders), where, (256, 256))
                if image is None:
                    continue
                fields = {
                    "sample_id": f"nwpu-captions/{path}", "source": self.card.name, "split": split,
                    "licence": self.card.licence, "task": Task.CAPTION, "images": (image,),
                    "question": options.question, "meta": {"category": class_name(category)},
                }  # fmt: skip
                captions = [row.get(key) for key in ("raw", "raw_1", "raw_2", "raw_3", "raw_4")]
                yield from caption_samples(strings(captions), fields, options, problems, where)


def _karpathy(
    name: str, title: str, files: str, folders: str, size: int, n: dict[str, int], **about: str
) -> Reader:
    paths, places = tuple(files.split("|")), tuple(folders.split("|"))
    card = DatasetCard(
        name=name, title=title, tasks=(Task.CAPTION,), licence=about["licence"], source=about["source"],
        layout=(" or ".join(paths), " or ".join(f"{p}/" for p in places) + " with the images"),
        splits=("train", "val", "test"), counts=n, verified=about["verified"],
    )  # fmt: skip
    return KarpathyCaptions(card, paths, places, (size, size))


_FORM = "The JSON's form is Karpathy's, read in loaders of others; the folders' names vary between mirrors."

READERS: tuple[Reader, ...] = (
    _karpathy(
        "rsicd", "RSICD", "dataset_rsicd.json|annotations_rsicd/dataset_rsicd.json",
        "RSICD_images|images", 224, {"images": 10_921, "train": 8_734, "val": 1_094, "test": 1_093},
        licence="not given (research use)", source="GitHub 201528014227051/RSICD_optimal",
        verified=_FORM + " Many captions are repeated to make five.",
    ),
    _karpathy(
        "ucm-captions", "UCM-Captions", "dataset.json|dataset_ucm.json", "imgs|images", 256, {"images": 2_100},
        licence="images public domain (USGS); captions not given", source="GitHub 201528014227051/RSICD_optimal",
        verified=_FORM,
    ),
    _karpathy(
        "sydney-captions", "Sydney-Captions", "dataset.json|dataset_sydney.json", "imgs|images", 500, {"images": 613},
        licence="not given (images from Google Earth)", source="GitHub 201528014227051/RSICD_optimal",
        verified=_FORM,
    ),
    _karpathy(
        "rsitmd", "RSITMD", "dataset_RSITMD.json", "images|RSITMD_images", 256,
        {"images": 4_743, "train": 4_291, "test": 452}, licence="not given (research use)",
        source="GitHub xiaoyuan1996/AMFMN", verified=_FORM + " Its keyword lists are not read.",
    ),
    NwpuCaptions(
        DatasetCard(
            name="nwpu-captions", title="NWPU-Captions", tasks=(Task.CAPTION,), licence="not given (research use)",
            source="GitHub HaiyanHuang98/NWPU-Captions; the images are NWPU-RESISC45",
            layout=("dataset_nwpu.json", "<category>/<filename>, also below NWPU-RESISC45/, NWPU_images/ or images/"),
            splits=("train", "val", "test"), counts={"images": 31_500},
            verified="The JSON's keys are read in loaders of others, not seen by us; airplane_111.jpg is known to be "
            "missing from some copies.",
        )
    ),
)  # fmt: skip
