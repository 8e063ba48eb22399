"""VOC's XML and the datasets in it: pixels, flags, names, and what is wrong with labels."""

from __future__ import annotations

import pytest
from PIL import Image

from groundproof.protocol import Task
from groundproof_training.readers.base import Problems, WrongFolderError
from groundproof_training.readers.voc import listed, parse_voc
from groundproof_training.readers.voc_sets import HRRSD_CLASSES

from .folders import WHOLE, images, picture, read, write


def xml(objects: str, width: int = 100, height: int = 80) -> str:
    return f"""<annotation><folder>f</folder><filename>a.jpg</filename>
    <source><database>D</database><annotation>nested, as HRRSD has it</annotation></source>
    <size><width>{width}</width><height>{height}</height><depth>3</depth></size>{objects}</annotation>"""


def thing(name="airplane", box=(11, 21, 20, 40), extra="") -> str:
    tags = "".join(f"<{t}>{v}</{t}>" for t, v in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True))
    return f"<object><name>{name}</name>{extra}<bndbox>{tags}</bndbox></object>"


def hrrsd(root, **objects: str):
    for name, text in objects.items():
        write(root / "OPT2017" / "Annotations" / f"{name}.xml", text)
        picture(root / "OPT2017" / "JPEGImages" / f"{name}.jpg")
    lines = "".join(f"{name}\n" for name in objects)
    for split in ("train", "val", "test"):
        write(root / "OPT2017" / "ImageSets" / "Main" / f"{split}.txt", lines if split == "train" else "")
    return root


def test_pixels_counted_from_one_become_edges():
    """xmin 11 to xmax 20 covers ten pixels: columns 10 to 19 counted from 0, edges 10 and 20."""
    (one,) = parse_voc(xml(thing()), Problems(), "a.xml").objects
    assert one.xyxy == (10, 20, 20, 40)
    assert parse_voc(xml(thing()), Problems(), "a.xml", first_pixel=0).objects[0].xyxy == (11, 21, 20, 40)


def test_the_nested_annotation_tag_and_a_name_with_an_upper_case_letter(tmp_path):
    found, problems = images("hrrsd", hrrsd(tmp_path, a=xml(thing("T junction") + thing("storage tank"))))
    assert [b.label for b in found["a"].objects] == ["t junction", "storage tank"]
    assert not problems.counts
    assert set(found["a"].classes) == set(HRRSD_CLASSES)


def test_difficult_is_ignored_and_truncated_marked(tmp_path):
    flags = "<difficult>1</difficult><truncated>0</truncated>"
    cut = "<difficult>0</difficult><truncated>1</truncated>"
    root = hrrsd(tmp_path, a=xml(thing("ship", extra=flags) + thing("bridge", extra=cut)))
    ship, bridge = images("hrrsd", root)[0]["a"].objects
    assert (ship.ignore, ship.truncated, bridge.ignore, bridge.truncated) == (True, False, False, True)
    samples, _ = read("hrrsd", root)
    # A class whose only object is difficult is neither there nor absent.
    assert not any("ship" in s.asked for s in samples)


def test_what_is_wrong_is_counted_and_named_and_never_in_the_data(tmp_path):
    root = hrrsd(
        tmp_path,
        good=xml(thing()),
        empty=xml(thing(box=(10, 10, 9, 20)) + thing("ship")),
        unknown=xml(thing("dragon") + thing("ship")),
        outside=xml(thing(box=(90, 70, 130, 90)) + thing("ship", (200, 200, 210, 210))),
        no_box=xml("<object><name>ship</name></object>"),
        no_number=xml(thing(box=("x", 2, 3, 4))),
        nan=xml(thing(box=("nan", 2, 3, 4))),
        other_size=xml(thing(), 200, 80),
        torn="<annotation><object>",
        broken_picture=xml(thing()),
        no_picture=xml(thing()),
    )
    pictures = root / "OPT2017" / "JPEGImages"
    pictures.joinpath("no_picture.jpg").unlink()
    whole = pictures.joinpath("broken_picture.jpg").read_bytes()
    pictures.joinpath("broken_picture.jpg").write_bytes(whole[: len(whole) // 2])
    lists = root / "OPT2017" / "ImageSets" / "Main" / "train.txt"
    lists.write_text(lists.read_text() + "no_label\ngood\n")
    found, problems = images("hrrsd", root)
    assert problems.counts == {
        "empty box": 1, "unknown class": 1, "box outside": 2, "broken label": 4, "size differs": 1,
        "broken image": 1, "no image": 1, "no label": 1,
    }  # fmt: skip
    assert found["outside"].objects[0].xyxy == (89, 69, 100, 80)
    assert found["outside"].objects[0].truncated
    assert all("no_picture" in e for e in problems.examples["no image"])
    _, problems = read("hrrsd", root)
    assert problems.counts["duplicate id"] == 1
    assert images("hrrsd", root, outside="drop")[0]["outside"].objects == ()


def test_labels_alone_are_enough_where_images_are_not_needed(tmp_path):
    root = hrrsd(tmp_path, a=xml(thing()))
    (root / "OPT2017" / "JPEGImages" / "a.jpg").unlink()
    assert read("hrrsd", root)[0] == []
    image = images("hrrsd", root, need_images=False)[0]["a"].image
    assert (image.width, image.height, image.sha256) == (100, 80, None)


def test_a_picture_turned_by_exif_does_not_get_boxes_made_for_the_file_as_stored(tmp_path):
    root = hrrsd(tmp_path, a=xml(thing()))
    file = root / "OPT2017" / "JPEGImages" / "a.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (100, 80)).save(file, exif=exif)
    found, problems = images("hrrsd", root)
    assert not found
    assert problems.counts == {"size differs": 1}


def test_a_wrong_folder_is_told_what_was_expected(tmp_path):
    write(tmp_path / "labels" / "a.txt", "")
    with pytest.raises(WrongFolderError) as err:
        read("hrrsd", tmp_path)
    for words in ("TGRS-HRRSD", "Annotations", "Found: labels", "CrazyStoneonRoad"):
        assert words in str(err.value)


def test_dior_names_become_words_and_oriented_boxes_keep_their_corners(tmp_path):
    corners = {
        "x_left_top": 21, "y_left_top": 11, "x_right_top": 41, "y_right_top": 21,
        "x_right_bottom": 31, "y_right_bottom": 41, "x_left_bottom": 11, "y_left_bottom": 31,
    }  # fmt: skip
    turned = "".join(f"<{k}>{v}</{k}>" for k, v in corners.items())
    text = xml(f"<object><name>groundtrackfield</name><robndbox>{turned}</robndbox></object>")
    for root, folder in ((tmp_path / "r", "Oriented"), (tmp_path / "h", "Horizontal")):
        content = text if folder == "Oriented" else xml(thing("Expressway-Service-area"))
        write(root / "Annotations" / f"{folder} Bounding Boxes" / "00001.xml", content)
        write(root / "ImageSets" / "Main" / "train.txt", "00001\n")
        picture(root / "JPEGImages-trainval" / "00001.jpg")
    (box,) = images("dior-r", tmp_path / "r")[0]["00001"].objects
    assert box.label == "ground track field"
    assert box.quad == (20.5, 10.5, 40.5, 20.5, 30.5, 40.5, 10.5, 30.5)
    assert box.xyxy == (10.5, 10.5, 40.5, 40.5)
    (upright,) = images("dior", tmp_path / "h")[0]["00001"].objects
    assert upright.label == "expressway service area"


def test_rsod_calls_nothing_absent_that_its_folder_does_not_label(tmp_path):
    for name, label in (("aircraft", "aircraft"), ("oiltank", "oiltank")):
        write(tmp_path / name / "Annotation" / "xml" / f"{name}_1.xml", xml(thing(label)))
        picture(tmp_path / name / "JPEGImages" / f"{name}_1.jpg")
    samples, _ = read("rsod", tmp_path, **WHOLE, absent_share=0.9)
    assert {s.asked for s in samples} == {("aircraft",), ("oil tank",)}
    assert {s.answer for s in samples if s.task is Task.VQA} == {"yes"}


def test_a_generic_folder_names_its_own_classes(tmp_path):
    write(tmp_path / "Annotations" / "a.xml", xml(thing("crane") + thing("silo", (50, 50, 60, 60))))
    write(tmp_path / "Annotations" / "b.xml", xml(thing("crane")))
    for name in "ab":
        picture(tmp_path / "JPEGImages" / f"{name}.jpg")
    write(tmp_path / "ImageSets" / "Main" / "train.txt", "b\n")
    found, _ = images("voc", tmp_path)
    assert list(found) == ["b"]
    assert found["b"].classes == ("crane", "silo")


def test_lists_with_flags_behind_the_names(tmp_path):
    file = write(tmp_path / "airplane_train.txt", "00015 -1\n00030  1\nT junction 7\n")
    assert listed(file) == ["00015", "00030", "T junction 7"]


def test_hrrsd_is_read_as_measured_on_its_own_files(data_dir):
    """1,450 of its files are here: every one is in exactly one official list, and every box is read."""
    root = data_dir / "labels" / "hrrsd"
    files = sorted((root / "OPT2017" / "Annotations").glob("*.xml"))
    assert len(files) == 1450
    seen, boxes = [], 0
    for split, number in (("train", 5_401), ("val", 5_417), ("test", 10_943)):
        assert len(listed(root / "OPT2017" / "ImageSets" / "Main" / f"{split}.txt")) == number
        found, problems = images("hrrsd", root, split, need_images=False)
        assert set(problems.counts) <= {"no label", "box outside"}
        assert problems.counts["no label"] + len(found) == number
        seen += list(found)
        boxes += sum(len(i.objects) for i in found.values())
    assert sorted(seen) == [f.stem for f in files]
    assert boxes == sum(f.read_text().count("<object>") for f in files)


def test_the_published_example_of_rsthinker_follows_from_the_xml():
    """07907 of HRRSD, as its README prints it: made on a grid of 500 from corners counted from 0 (METRICS 0.1)."""
    text = xml(thing("baseball diamond", (217, 344, 628, 756)) + thing("x", (214, 765, 634, 1160)), 882, 1182)
    said = [[244, 290, 710, 638], [242, 646, 718, 980]]
    for one, expected in zip(parse_voc(text, Problems(), "07907").objects, said, strict=True):
        x0, y0, x1, y1 = one.xyxy
        # They take the last pixel's own number, one less than our edge behind it.
        corners = ((x0, 882), (y0, 1182), (x1 - 1, 882), (y1 - 1, 1182))
        assert [round(v / side * 500) * 2 for v, side in corners] == expected
