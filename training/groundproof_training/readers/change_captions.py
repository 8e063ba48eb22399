"""Two dates of one place and sentences about what changed: LEVIR-CC and LEVIR-MCI, Dubai-CC, SYSU-CC.

Knows their JSON, Change-Agent's token lists and where the pairs lie. Refuses to know masks.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from groundproof.protocol import Task
from groundproof_training.readers.base import DatasetCard, Options, Problems, Reader, WrongFolderError
from groundproof_training.readers.captions import (
    CaptionOptions,
    caption_samples,
    first_there,
    sentences_of,
)
from groundproof_training.readers.sources import Images, check_split, load_json, options_of
from groundproof_training.samples import Sample, Split


class ChangeOptions(CaptionOptions):
    """question: asked of every pair; ours, the sets have none. tokens: folder below the root with `tokens/*.txt` and
    `train.txt`, `val.txt`, `test.txt` (Change-Agent's, whose sentences lost their full stops), used instead of the
    JSON."""

    question: str = "What has changed between the two images?"
    tokens: str | None = None


@dataclass(frozen=True, slots=True)
class Pair:
    """One place. name: the file's, the same on both dates. changed: what the source says, where it does."""

    name: str
    captions: list[str]
    where: str
    changed: bool | None = None


@dataclass(frozen=True, slots=True)
class ChangeCaptions:
    """A set of pairs. kind: how its captions are kept. before, after: folders of the two dates, with {split}.
    dates: ISO 8601 of both, where the source has only two. size: width and height, px."""

    card: DatasetCard
    files: tuple[str, ...]
    before: tuple[str, ...]
    after: tuple[str, ...]
    size: tuple[int, int]
    dates: tuple[str | None, str | None] = (None, None)
    kind: Literal["one file", "a file for each split"] = "one file"
    options: type[Options] = ChangeOptions

    def read(self, root: Path, split: Split, options: Options, problems: Problems) -> Iterator[Sample]:
        """In the order of the file or the list."""
        own = options_of(ChangeOptions, options)
        check_split(self.card, split)
        if own.tokens is not None:
            pairs = _token_pairs(root, own.tokens, split, self.card, problems)
        else:
            parts = {"train": "Train", "val": "Validation", "test": "Test"}
            names = tuple(name.replace("{Split}", parts[split]) for name in self.files)
            path = first_there(root, self.card, names)
            content = load_json(root, path, self.card)
            if not isinstance(content, dict) or not isinstance(content.get("images"), list):
                raise WrongFolderError(root, self.card, f'a list "images" in {path}')
            wanted = split if self.kind == "one file" else None
            pairs = _json_pairs(content["images"], wanted, problems)
        return self._samples(root, split, own, problems, pairs)

    def _samples(
        self, root: Path, split: Split, options: ChangeOptions, problems: Problems, pairs: Iterator[Pair]
    ) -> Iterator[Sample]:
        images = Images(root, options, problems)
        ids: set[str] = set()
        for pair in pairs:
            if pair.name in ids:
                problems.add("duplicate id", pair.where, pair.name)
                continue
            ids.add(pair.name)
            dates = []
            for folders, date in zip((self.before, self.after), self.dates, strict=True):
                paths = tuple(f"{f.replace('{split}', split)}/{pair.name}" for f in folders)
                image = images.one_of(paths, pair.where, self.size)
                if image is not None:
                    dates.append(image.model_copy(update={"date": date}))
            if len(dates) < 2:
                continue
            if dates[0].shown_size != dates[1].shown_size:
                sizes = " and ".join("{} x {}".format(*d.shown_size) for d in dates)
                problems.add("dates of different size", pair.where, f"{pair.name}: {sizes} px")
                continue
            fields = {
                "sample_id": f"{self.card.name}/{pair.name}", "source": self.card.name, "split": split,
                "licence": self.card.licence, "task": Task.CHANGE, "images": tuple(dates),
                "question": options.question,
                "meta": {} if pair.changed is None else {"changed": "yes" if pair.changed else "no"},
            }  # fmt: skip
            yield from caption_samples(pair.captions, fields, options, problems, pair.where)


def _json_pairs(rows: list[Any], split: Split | None, problems: Problems) -> Iterator[Pair]:
    """split: None where the whole file belongs to the split that is read."""
    for number, row in enumerate(rows):
        where = f"images[{number}]"
        if not isinstance(row, dict) or not isinstance(row.get("filename"), str):
            problems.add("broken label", where, "it has no filename")
            continue
        if split is not None:
            said = row.get("split") or row.get("filepath") or row["filename"].split("_")[0]
            if str(said) not in ("train", "val", "test"):
                problems.add("broken label", where, f"unknown split {said!r}")
                continue
            if said != split:
                continue
        flag = row.get("changeflag")
        yield Pair(row["filename"], sentences_of(row), where, bool(flag) if flag in (0, 1) else None)


def _token_pairs(
    root: Path, folder: str, split: Split, card: DatasetCard, problems: Problems
) -> Iterator[Pair]:
    """Of Change-Agent's lists. A train list names an image once for each caption (`train_000001.png-0`)."""
    file = root / folder / f"{split}.txt"
    if not file.is_file():
        raise WrongFolderError(root, card, f"{folder}/{split}.txt")
    names = []
    for line in file.read_text(encoding="utf-8-sig", errors="replace").splitlines():
        name, _, number = line.strip().rpartition("-")
        names.append(name if number.isdigit() and name else line.strip())

    def pairs() -> Iterator[Pair]:
        for name in dict.fromkeys(n for n in names if n):
            where = f"{folder}/tokens/{Path(name).stem}.txt"
            try:
                lists = json.loads((root / where).read_text(encoding="utf-8-sig"))
                words = [[w for w in tokens if w not in ("<START>", "<END>")] for tokens in lists]
                sentences = [" ".join(tokens) for tokens in words]
            except (OSError, ValueError, TypeError) as err:
                problems.add("broken label", where, str(err))
                continue
            yield Pair(name, sentences, where)

    return pairs()


_PAIRS = (("images/{split}/A",), ("images/{split}/B",))
_LEVIR_LAYOUT = (
    "LevirCCcaptions.json",
    "images/{train,val,test}/{A,B}/<name>.png",
    "with `tokens`: that folder's {train,val,test}.txt and tokens/<name>.txt instead of the JSON",
)
_LEVIR_VERIFIED = (
    "Tree as in the authors' README, JSON keys (filename, filepath or split, changeflag, sentences) as read in loaders "
    "of others; token lists as in Change-Agent's repository. Captions not seen by us as a whole."
)


def _levir(name: str, title: str, source: str) -> Reader:
    card = DatasetCard(
        name=name, title=title, tasks=(Task.CHANGE,), licence="academic use (images from Google Earth)", source=source,
        layout=_LEVIR_LAYOUT, splits=("train", "val", "test"), counts={"pairs": 10_077, "captions": 50_385},
        verified=_LEVIR_VERIFIED,
    )  # fmt: skip
    return ChangeCaptions(card, ("LevirCCcaptions.json",), *_PAIRS, (256, 256))


READERS: tuple[Reader, ...] = (
    _levir("levir-cc", "LEVIR-CC", "GitHub Chen-Yang-Liu/RSICC"),
    _levir("levir-mci", "LEVIR-MCI", "GitHub Chen-Yang-Liu/Change-Agent, Hugging Face lcybuaa/LEVIR-MCI"),
    ChangeCaptions(
        DatasetCard(
            name="dubai-cc", title="Dubai-CC", tasks=(Task.CHANGE,), licence="not given (Landsat 7 images)",
            source="University of Trento, F. Melgani's page",
            layout=(
                "description_jsontr_te_val/{Train,Validation,Test}_Dubai_CC.json",
                "imgs_tiles/RGB/500_2000/<name> and imgs_tiles/RGB/500_2010/<name>",
            ),
            splits=("train", "val", "test"), counts={"pairs": 500, "train": 300, "val": 50, "test": 150},
            verified="Unverified by us: tree and keys as loaders of others read them.",
        ),
        ("description_jsontr_te_val/{Split}_Dubai_CC.json", "captions/{Split}_Dubai_CC.json"),
        ("imgs_tiles/RGB/500_2000", "RGB/500_2000"), ("imgs_tiles/RGB/500_2010", "RGB/500_2010"),
        (50, 50), dates=("2000", "2010"), kind="a file for each split",
    ),
    ChangeCaptions(
        DatasetCard(
            name="sysu-cc", title="SYSU-CC", tasks=(Task.CHANGE,), licence="not given",
            source="captions of SYSU-CD pairs, as EarthDial uses them; the authors' page unknown to us",
            layout=("captions.json, in LEVIR-CC's form", "images/{train,val,test}/{A,B}/<name>.png"),
            splits=("train", "val", "test"),
            verified="Unverified: only ten published result rows were seen, the layout is our choice.",
        ),
        ("captions.json", "SYSUCCcaptions.json"), *_PAIRS, (256, 256),
    ),
)  # fmt: skip
