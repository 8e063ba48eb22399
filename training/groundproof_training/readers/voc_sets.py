"""Public datasets in VOC's XML: HRRSD, DIOR, DIOR-R, RSOD.

Knows where each keeps its files and how it spells its classes. Refuses to know XML (`voc`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from groundproof_training.readers.base import DatasetCard, Problems, Reader, WrongFolderError
from groundproof_training.readers.objects import LabelledImage, ObjectOptions, in_split
from groundproof_training.readers.questions import ObjectReader
from groundproof_training.readers.voc import BOX_TASKS, VocOptions, listed, read_voc_image
from groundproof_training.samples import Split

HRRSD_CLASSES = (
    "bridge", "airplane", "ground track field", "vehicle", "parking lot", "t junction", "baseball diamond",
    "tennis court", "basketball court", "ship", "crossroad", "harbor", "storage tank",
)  # fmt: skip
DIOR_WORDS = {
    "baseballfield": "baseball field",
    "basketballcourt": "basketball court",
    "golffield": "golf field",
    "groundtrackfield": "ground track field",
    "storagetank": "storage tank",
    "tenniscourt": "tennis court",
    "trainstation": "train station",
}
DIOR_CLASSES = (
    "airplane", "airport", "baseball field", "basketball court", "bridge", "chimney", "dam",
    "expressway service area", "expressway toll station", "golf field", "ground track field", "harbor", "overpass",
    "ship", "stadium", "storage tank", "tennis court", "train station", "vehicle", "windmill",
)  # fmt: skip
RSOD_CLASSES = {
    "aircraft": "aircraft",
    "oiltank": "oil tank",
    "overpass": "overpass",
    "playground": "playground",
}


class HrrsdReader(ObjectReader):
    """TGRS-HRRSD. The official lists are its splits; its boxes count from 1."""

    card = DatasetCard(
        name="hrrsd",
        title="TGRS-HRRSD",
        tasks=BOX_TASKS,
        licence="labels Mulan PSL v1; images from Google Earth and Baidu, terms not given",
        source="github.com/CrazyStoneonRoad/TGRS-HRRSD-Dataset",
        layout=(
            "OPT2017/Annotations/*.xml",
            "OPT2017/ImageSets/Main/{train,val,test}.txt",
            "OPT2017/JPEGImages/*.jpg",
        ),
        splits=("train", "val", "test"),
        counts={
            "files": 21_761,
            "objects": 57_137,
            "train images": 5_401,
            "val images": 5_417,
            "test images": 10_943,
        },
        verified="all XML files of the repository were measured; its README says 55,740 objects",
    )
    options = VocOptions

    def images(
        self, root: Path, split: Split, options: ObjectOptions, problems: Problems
    ) -> Iterator[LabelledImage]:
        """In the order of the official list."""
        assert isinstance(options, VocOptions)  # noqa: S101  (of this class)
        base = root / "OPT2017" if (root / "OPT2017").is_dir() else root
        file = base / "ImageSets" / "Main" / f"{split}.txt"
        for path in (base / "Annotations", file):
            if not path.exists():
                raise WrongFolderError(root, self.card, path.relative_to(root).as_posix())
        folder = (base / "JPEGImages").relative_to(root).as_posix()
        for name in listed(file):
            made = read_voc_image(
                root, base / "Annotations" / f"{name}.xml", (folder,), HRRSD_CLASSES, options, problems,
                first_pixel=options.first_pixel,
            )  # fmt: skip
            if made is not None:
                yield made


class DiorReader(ObjectReader):
    """DIOR with upright boxes."""

    folders = ("Annotations/Horizontal Bounding Boxes", "Annotations")
    card = DatasetCard(
        name="dior",
        title="DIOR",
        tasks=BOX_TASKS,
        licence="academic use; images from Google Earth",
        source="gcheng-nwpu.github.io (DIOR), mirrors on Hugging Face",
        layout=(
            "Annotations/Horizontal Bounding Boxes/*.xml (or Annotations/*.xml)",
            "ImageSets/Main/{train,val,test}.txt (or Main/)",
            "JPEGImages-trainval/*.jpg and JPEGImages-test/*.jpg (or JPEGImages/)",
        ),
        splits=("train", "val", "test"),
        counts={
            "images": 23_463,
            "boxes": 192_472,
            "train images": 5_862,
            "val images": 5_863,
            "test images": 11_738,
        },
        verified="layout and classes from loaders of others; no file of it was read here, "
        "the split sizes are second-hand",
    )
    options = VocOptions

    def images(
        self, root: Path, split: Split, options: ObjectOptions, problems: Problems
    ) -> Iterator[LabelledImage]:
        """In the order of the official list."""
        assert isinstance(options, VocOptions)  # noqa: S101  (of this class)
        labels = next((f for f in self.folders if any((root / f).glob("*.xml"))), None)
        if labels is None:
            raise WrongFolderError(root, self.card, f"{self.folders[0]}/*.xml")
        lists = [root / f / f"{split}.txt" for f in ("ImageSets/Main", "Main", "ImageSets", "")]
        file = next((f for f in lists if f.is_file()), None)
        if file is None:
            raise WrongFolderError(root, self.card, f"ImageSets/Main/{split}.txt")
        folders = (f"JPEGImages-{'test' if split == 'test' else 'trainval'}", "JPEGImages", "images")
        for name in listed(file):
            made = read_voc_image(
                root, root / labels / f"{name}.xml", folders, DIOR_CLASSES, options, problems, DIOR_WORDS,
                first_pixel=options.first_pixel,
            )  # fmt: skip
            if made is not None:
                yield made


class DiorRReader(DiorReader):
    """DIOR-R: the same images with oriented boxes."""

    folders = ("Annotations/Oriented Bounding Boxes", "Annotations/Oriented_Bounding_Boxes")
    card = DatasetCard(
        name="dior-r",
        title="DIOR-R",
        tasks=BOX_TASKS,
        licence="academic use; images from Google Earth",
        source="gcheng-nwpu.github.io (DIOR)",
        layout=(
            "Annotations/Oriented Bounding Boxes/*.xml (robndbox: x_left_top .. y_left_bottom)",
            "ImageSets/Main/{train,val,test}.txt",
            "JPEGImages-trainval/*.jpg and JPEGImages-test/*.jpg (or JPEGImages/)",
        ),
        splits=("train", "val", "test"),
        counts={
            "images": 23_463,
            "boxes": 192_518,
            "train images": 5_862,
            "val images": 5_863,
            "test images": 11_738,
        },
        verified="layout and tags from loaders of others; no file of it was read here, the counts are second-hand",
    )


class RsodReader(ObjectReader):
    """RSOD: four folders, one per class. In a folder only its own class is labelled, so nothing else is absent."""

    card = DatasetCard(
        name="rsod",
        title="RSOD",
        tasks=BOX_TASKS,
        licence="none stated",
        source="github.com/RSIA-LIESMARS-WHU/RSOD-Dataset-",
        layout=(
            "aircraft/, oiltank/, overpass/, playground/, each with",
            "  JPEGImages/*.jpg and Annotation/xml/*.xml",
        ),
        splits=("train", "val", "test"),
        counts={"images": 976, "aircraft": 4_993, "oiltank": 1_586, "overpass": 180, "playground": 191},
        verified="counts from its README; the folder layout could not be checked; it has no splits, ours are by hash",
    )
    options = VocOptions

    def images(
        self, root: Path, split: Split, options: ObjectOptions, problems: Problems
    ) -> Iterator[LabelledImage]:
        """Folder by folder, by name."""
        assert isinstance(options, VocOptions)  # noqa: S101  (of this class)
        found = [name for name in RSOD_CLASSES if (root / name).is_dir()]
        if not found:
            raise WrongFolderError(root, self.card, "aircraft/")
        for name in found:
            inner = root / name
            labels = next(
                (inner / f for f in ("Annotation/xml", "Annotations/xml", "Annotation", "Annotations")
                 if (inner / f).is_dir()), None,
            )  # fmt: skip
            if labels is None:
                raise WrongFolderError(root, self.card, f"{name}/Annotation/xml")
            for path in sorted(labels.glob("*.xml")):
                if not in_split(path.stem, split, options):
                    continue
                made = read_voc_image(
                    root, path, (f"{name}/JPEGImages", f"{name}/images"), tuple(RSOD_CLASSES.values()), options,
                    problems, RSOD_CLASSES, first_pixel=options.first_pixel,
                )  # fmt: skip
                if made is not None:
                    yield LabelledImage(
                        f"{name}-{made.key}", made.image, made.objects, (RSOD_CLASSES[name],), made.areas
                    )


READERS: tuple[Reader, ...] = (HrrsdReader(), DiorReader(), DiorRReader(), RsodReader())
