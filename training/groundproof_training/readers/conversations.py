"""Instruction sets in LLaVA's form: GeoChat-Instruct, FIT-RS, TEOChatlas.

Knows records of an image (or several) and turns between "human" and "gpt". Refuses to know what a turn asks; see
`turns`. A later turn of a record is asked alone, without the ones before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from groundproof.protocol import Task
from groundproof_training.readers.base import DatasetCard, Options, Problems, Reader, WrongFolderError
from groundproof_training.readers.sources import Images, check_split, options_of, records, strings
from groundproof_training.readers.texts import PERCENT, Grid
from groundproof_training.readers.turns import Turn, sample_of
from groundproof_training.samples import Sample, Split

IMAGE_KEYS = ("image", "images", "video", "image_list")


class ConversationOptions(Options):
    """file: the JSON or JSON-lines file below the root, where its name is not one of those known. folder: where the
    images lie below the root, likewise. later_turns: also ask what a record asks after its first question, each alone;
    some refer to the answer before ("it"). clockwise: the sign of angles."""

    file: str | None = None
    folder: str | None = None
    later_turns: bool = True
    clockwise: bool = True


@dataclass(frozen=True, slots=True)
class Conversations:
    """One set. files: of each split, the likeliest name first. folders: where the images may lie. grid: of its boxes.
    size: of all images, px, where they have one."""

    card: DatasetCard
    files: dict[Split, tuple[str, ...]]
    folders: tuple[str, ...]
    grid: Grid = PERCENT
    size: tuple[int, int] | None = None
    options: type[Options] = ConversationOptions

    def read(self, root: Path, split: Split, options: Options, problems: Problems) -> Iterator[Sample]:
        """Record by record, turn by turn, without holding the file."""
        own = options_of(ConversationOptions, options)
        check_split(self.card, split)
        names = (own.file,) if own.file else self.files[split]
        file = next((root / n for n in names if (root / n).is_file()), None)
        if file is None:
            raise WrongFolderError(root, self.card, names[0])
        return self._samples(root, split, own, problems, file)

    def _samples(
        self, root: Path, split: Split, options: ConversationOptions, problems: Problems, file: Path
    ) -> Iterator[Sample]:
        images = Images(root, options, problems)
        folders = (options.folder,) if options.folder is not None else self.folders
        grid = Grid(
            self.grid.full, self.grid.layout, options.clockwise, self.grid.turned_in, self.grid.floored
        )
        for number, record in records(file, problems):
            where = f"{file.name}[{number}]"
            names = next((strings(record[key]) for key in IMAGE_KEYS if record.get(key)), [])
            if not names:
                problems.add("no image", where, "the record names none")
                continue
            turns = list(turns_of(record, problems, where))
            if not turns:
                continue
            shown = [
                images.one_of(tuple(f"{f}/{name}".lstrip("/") for f in folders), where, self.size)
                for name in names
            ]
            pictures = tuple(image for image in shown if image is not None)
            if len(pictures) < len(shown):
                continue
            for turn, (question, answer) in enumerate(turns if options.later_turns else turns[:1]):
                fields = {
                    "sample_id": f"{self.card.name}/{split}/{number}/{turn}", "source": self.card.name,
                    "split": split, "licence": self.card.licence, "meta": {"turn": str(turn)},
                }  # fmt: skip
                asked = Turn(question, answer, pictures, fields, grid, on=len(pictures) - 1)
                sample = sample_of(asked, problems, f"{where}, turn {turn}")
                if sample is not None:
                    yield sample


def turns_of(record: dict[str, Any], problems: Problems, where: str) -> Iterator[tuple[str, str]]:
    """Question and answer of each turn; a turn without its other half is noted."""
    said = record.get("conversations")
    if not isinstance(said, list) or not said:
        problems.add("broken label", where, "it has no conversations")
        return
    question = None
    for part in said:
        speaker, text = (part.get("from"), part.get("value")) if isinstance(part, dict) else (None, None)
        if not isinstance(text, str):
            problems.add("broken label", where, "a turn without a text")
            question = None
        elif speaker in ("human", "user"):
            if question is not None:
                problems.add("broken label", where, "a question without an answer")
            question = text
        elif question is not None:
            yield question, text
            question = None
    if question is not None:
        problems.add("broken label", where, "a question without an answer")


_TASKS = (
    Task.GROUND, Task.REGION_CAPTION, Task.GROUNDED_CAPTION, Task.CAPTION, Task.CLASSIFY, Task.VQA, Task.CHANGE,
)  # fmt: skip

READERS: tuple[Reader, ...] = (
    Conversations(
        DatasetCard(
            name="geochat-instruct", title="GeoChat-Instruct", tasks=_TASKS[:-1],
            licence="Apache-2.0 by its tag; images are DOTA's, DIOR's, FAIR1M's and others', each with its own",
            source="Hugging Face MBZUAI/GeoChat_Instruct",
            layout=("GeoChat_Instruct.json", "images/ or final_images_llava/ with the images (or the option `folder`)"),
            splits=("train",), counts={"records": 318_000},
            verified="File, keys and box texts as the reference notes read them; that a positive angle turns clockwise "
            "was measured on 10,571 boxes of its test set. The images' path was not seen by us.",
        ),
        {"train": ("GeoChat_Instruct.json",)},
        ("images", "final_images_llava", ""),
    ),
    Conversations(
        DatasetCard(
            name="fit-rs", title="FIT-RS", tasks=_TASKS[:-1],
            licence="Apache-2.0 by its repository; images are STAR's, with their own",
            source="Hugging Face ll-13/FIT-RS, GitHub Luo-Z13/SkySenseGPT",
            layout=(
                "FIT-RS_Instruction/FIT-RS-train-1415k.json (or FIT-RS-train-sample-381k.json, or the option `file`)",
                "FIT-RS_Img/imgv2_split_512_100_vaild/0000__512__0___0.png (or below FIT-RS_Image/)",
            ),
            splits=("train",), counts={"samples": 1_800_851, "train": 1_415_000, "captions in Geo-CoT380k": 65_197},
            verified="Names, 512 px patches and boxes (centre, sides, degrees, in percent) as others' code reads them; "
            "not seen by us.",
        ),
        {"train": (
            "FIT-RS_Instruction/FIT-RS-train-1415k.json", "FIT-RS-train-1415k.json",
            "FIT-RS_Instruction/FIT-RS-train-sample-381k.json", "FIT-RS-train-sample-381k.json",
        )},
        tuple(f"{folder}imgv2_split_512_100_vaild" for folder in
              ("FIT-RS_Img/", "FIT-RS_Image/", "FIT-RS_Instruction/FIT-RS_Img/", "")),
        grid=Grid(layout="centre", floored=False), size=(512, 512),
    ),
    Conversations(
        DatasetCard(
            name="teochatlas", title="TEOChatlas", tasks=_TASKS,
            licence="not given; images are fMoW's, xBD's, S2Looking's and QFabric's, each with its own",
            source="GitHub ermongroup/TEOChat",
            layout=("train.json (or the option `file`): records with image paths in image, images or video",),
            splits=("train",), counts={"records": 554_071},
            verified="Unverified: LLaVA's form is known, file names and the frame of its boxes (0 to 100, on the last "
            "image) are our choice.",
        ),
        {"train": ("train.json", "TEOChatlas_train.json", "teochatlas_train.json")},
        ("", "images", "train"),
    ),
)  # fmt: skip
