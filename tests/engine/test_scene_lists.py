"""Scenes from files, folders, globs and lists: pathlib, csv and pandas are the oracles."""

from __future__ import annotations

import csv
import itertools
import os
import random
from pathlib import Path

import pandas as pd
import pytest
from affine import Affine
from hypothesis import given
from hypothesis import strategies as st
from pyproj import CRS

from groundproof.aoi import resolve_aois
from groundproof.boxes import Grid
from groundproof.errors import TooLargeError, UsageError
from groundproof.scene_lists import ListedScene, find_scenes, finding, listing, text_lists


def touch(folder: Path, *names: str) -> list[str]:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(b"x")
    return [str(folder / name) for name in names]


def paths(*sources: object, **options: object) -> list[str]:
    return [scene.path for scene in find_scenes([str(s) for s in sources], **options).scenes]


@pytest.mark.parametrize(
    "source",
    [
        "not/there.tif",
        "no_suffix",
        "https://example.org/a/scene.tif?signature=x%2Fy",
        "http://example.org/cog",
        "https://example.org/collections/naip/items/scene.tif",
        "s3://bucket/key.tif",
        "gs://bucket/key.jp2",
        "az://container/key.tif",
        "/vsizip/archive.zip/a.tif",
        "zip+file:///archive.zip!a.tif",
        "NETCDF:a.nc:band",
        "GTI:index.gpkg",
        "~/scene.tif",
    ],
)
def test_a_raster_is_taken_as_it_is_whether_it_exists_or_not(source) -> None:
    (scene,) = find_scenes([source]).scenes
    path = str(Path.home() / "scene.tif") if source.startswith("~") else source
    assert scene == ListedScene(path, source)


def test_a_folder_gives_its_rasters_without_what_lies_beside_them(tmp_path) -> None:
    rasters = touch(tmp_path, "B.TIF", "a.tif", "c.jp2", "d.vrt", "e.png")
    touch(
        tmp_path, "a.tif.aux.xml", "a.tif.ovr", "a.tif.msk", "a.tfw", "e.pgw", "README.txt", "inner/f.tif", "list.csv"
    )  # fmt: skip
    assert paths(tmp_path) == sorted(rasters)


def test_a_folder_without_rasters_is_refused_with_a_glob_for_what_may_be_inside(tmp_path) -> None:
    touch(tmp_path, "inner/f.tif", "notes.txt")
    with pytest.raises(UsageError, match=r"holds 1 file and no raster.*\*\*"):
        find_scenes([str(tmp_path)])
    assert paths(tmp_path / "**" / "*.tif") == [str(tmp_path / "inner" / "f.tif")]


def test_a_glob_finds_what_pathlib_finds_and_no_sidecars(tmp_path) -> None:
    touch(tmp_path, "b.tif", "a.tif", "a.tif.aux.xml", "a.tif.ovr", "in/c.tif", "in/deep/d.tiff", "x.txt")
    (tmp_path / "folder.tif").mkdir()
    assert paths(tmp_path / "*.tif") == sorted(str(p) for p in tmp_path.glob("*.tif") if p.is_file())
    assert paths(tmp_path / "**" / "*.tif*") == sorted(
        str(p) for p in tmp_path.rglob("*.tif*") if p.is_file() and p.suffix in (".tif", ".tiff")
    )
    assert paths(tmp_path / "*") == sorted(str(p) for p in tmp_path.glob("*.tif") if p.is_file())
    assert paths(tmp_path / "*.ovr") == [str(tmp_path / "a.tif.ovr")]  # asked for by name


def test_a_glob_of_lists_reads_each_list(tmp_path) -> None:
    (tmp_path / "one.txt").write_text("a.tif\n")
    (tmp_path / "two.txt").write_text("b.tif\n")
    found = find_scenes([str(tmp_path / "*.txt")])
    assert [s.path for s in found.scenes] == [str(tmp_path / "a.tif"), str(tmp_path / "b.tif")]
    assert {s.source for s in found.scenes} == {str(tmp_path / "*.txt")}


@pytest.mark.parametrize("pattern", ["*.tif", "**/*.jp2", "[ab].tif", "*"])
def test_a_glob_that_finds_nothing_is_an_error(tmp_path, pattern) -> None:
    touch(tmp_path, "c.tif.ovr")
    with pytest.raises(UsageError, match="matches"):
        find_scenes([str(tmp_path / pattern)])


def test_a_file_with_brackets_in_its_name_is_that_file(tmp_path) -> None:
    (bracketed,) = touch(tmp_path, "a[1].tif")
    touch(tmp_path, "a1.tif")
    assert paths(bracketed) == [bracketed]


def test_globs_of_object_stores_are_refused_with_what_to_do() -> None:
    with pytest.raises(UsageError, match=r"s3://bucket/scenes.*Give a list"):
        find_scenes(["s3://bucket/scenes/*.tif"])


@pytest.mark.parametrize("name", ["a.csv", "b.txt", "c.fgb", "d.parquet"])
def test_lists_on_the_web_are_to_be_downloaded_and_no_secret_is_shown(name) -> None:
    with pytest.raises(UsageError, match="Download it") as told:
        find_scenes([f"https://user:hush@example.org/{name}?key=hush"])
    assert "hush" not in str(told.value)


@pytest.mark.parametrize("name", ["a.csv", "b.txt", "c.json", "d.geojson", "e.gpkg", "f.shp", "g.parquet"])
def test_a_list_that_is_not_there_is_an_error(tmp_path, name) -> None:
    with pytest.raises(UsageError, match="is not there"):
        find_scenes([str(tmp_path / name)])


@pytest.mark.parametrize("source", ["", "  ", "a\0b.tif", "a\nb.tif", "x" * 9000])
def test_texts_that_name_nothing_are_refused(source) -> None:
    with pytest.raises(UsageError, match="A source of scenes"):
        find_scenes([source])
    with pytest.raises(UsageError, match="No scenes are named"):
        find_scenes([])


def test_a_text_list_is_relative_to_itself_and_keeps_its_order(tmp_path) -> None:
    lines = [
        "\ufeff# harbours", "", "z.tif", "  sub/a b.tif  ", "/data/c.tif", "../d.tif", "https://example.org/e.tif?x=#1",
        "s3://bucket/f.tif", "/vsizip/g.zip/g.tif", "NETCDF:h.nc:band", "# last", "z.tif", "#1.tif", "i#1.tif",
    ]  # fmt: skip
    place = tmp_path / "list.txt"
    place.write_bytes("\r\n".join(lines).encode())
    here = str(tmp_path)
    assert paths(place) == [
        f"{here}/z.tif", f"{here}/sub/a b.tif", "/data/c.tif", f"{here}/../d.tif", "https://example.org/e.tif?x=#1",
        "s3://bucket/f.tif", "/vsizip/g.zip/g.tif", "NETCDF:h.nc:band", f"{here}/z.tif", f"{here}/i#1.tif",
    ]  # fmt: skip


def test_a_file_called_like_gdals_notation_is_a_file(tmp_path) -> None:
    touch(tmp_path, "S2:a.tif")
    (tmp_path / "list.txt").write_text("S2:a.tif\nS2:b.tif\n")
    assert paths(tmp_path / "list.txt") == [str(tmp_path / "S2:a.tif"), "S2:b.tif"]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "names no scene"),
        (b"# nothing\n\n", "names no scene"),
        (b"a.tif\nb\xff.tif\n", "Line 2 .* is not UTF-8"),
        ("a.tif".encode("utf-16"), "UTF-16"),
        (b"a.tif\nb\0c.tif\n", "Line 2 .* control characters"),
        (b"a" * 9000, "Line 1 .* 9,000 characters"),
    ],
)
def test_text_lists_that_cannot_be_read_say_where(tmp_path, content, said) -> None:
    (tmp_path / "list.txt").write_bytes(content)
    with pytest.raises(UsageError, match=said):
        find_scenes([str(tmp_path / "list.txt")])


GEOJSON = '{"type":"Polygon","coordinates":[[[3,50.5],[3.01,50.5],[3.01,50.6],[3,50.5]]]}'
WKT = "POLYGON((500100 5599600, 500900 5599700, 500400 5599900, 500100 5599600))"
ROWS = [
    dict(zip(("scene", "aoi", "datetime", "note"), row, strict=True))
    for row in (
        ("a.tif", "500000,4100000,501000,4101000", "2026-05-31T10:20:00Z", "one, two"),
        ("b, c.tif", "3.0,50.5,3.1,50.6,EPSG:4326", "2026-05-31", 'a "quote"'),
        ("/data/d.tif", "", "", "two\nlines"),
        ("https://example.org/e.tif", "areas/parcels.gpkg|layername=west", "2026:05:31 10:20:00", ""),
        ("f.tif", GEOJSON, "2026-05-31T12:20:00+02:00", ""),
        ("g.tif", WKT, "", ""),
    )
]


def table(path: Path, rows: list[dict[str, str]], encoding: str = "utf-8", **options: str) -> Path:
    with path.open("w", newline="", encoding=encoding) as file:
        writer = csv.DictWriter(file, list(rows[0]), **options)
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_csv_gives_scenes_areas_and_dates(tmp_path, delimiter, encoding, ending) -> None:
    place = table(tmp_path / "l.csv", ROWS, encoding, delimiter=delimiter, lineterminator=ending)
    scenes = find_scenes([str(place)]).scenes
    here = str(tmp_path)
    expected = pd.read_csv(place, sep=delimiter, encoding=encoding, keep_default_na=False)
    assert [s.path for s in scenes] == [
        name if name.startswith(("/", "https:")) else f"{here}/{name}" for name in expected["scene"]
    ]
    areas = [f"{here}/{a}" if a.startswith("areas/") else a or None for a in expected["aoi"]]
    assert [s.aoi for s in scenes] == areas
    assert [s.datetime for s in scenes] == [
        "2026-05-31T10:20:00Z", "2026-05-31T00:00:00Z", None, "2026-05-31T10:20:00Z", "2026-05-31T10:20:00Z", None,
    ]  # fmt: skip


def test_the_areas_of_a_csv_are_areas(tmp_path) -> None:
    grid = Grid(2000, 1000, CRS("EPSG:32631"), Affine(0.5, 0, 500_000, 0, -0.5, 5_600_000))
    scenes = find_scenes([str(table(tmp_path / "l.csv", [*ROWS[4:]]))]).scenes
    areas = [resolve_aois(grid, scene.aoi).aois[0].polygon_px.area for scene in scenes]
    assert areas[1] == pytest.approx(105_000 / 0.5**2, rel=1e-6)  # half the cross product of two sides, in px
    assert 0 < areas[0] < grid.width * grid.height


def test_one_scene_may_be_listed_once_for_each_of_its_areas(tmp_path) -> None:
    rows = [{"path": "a.tif", "aoi": f"0,0,{n},{n}"} for n in (1, 2)]
    scenes = find_scenes([str(table(tmp_path / "l.csv", rows))]).scenes
    assert [(Path(s.path).name, s.aoi) for s in scenes] == [("a.tif", "0,0,1,1"), ("a.tif", "0,0,2,2")]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "holds nothing"),
        ("a.tif\nb.tif\n", 'holds "a.tif"'),
        ("scene,path\na,b\n", "one column scene"),
        ("scene,aoi,AOI\na.tif,1,2\n", "once each"),
        ("scene\n", "no scene below it"),
        ("scene,aoi\na.tif,1,2,3,4\n", "Line 2 .* has 5 values, but the header 2.*double quotes"),
        ("scene,aoi\na.tif,\n,\n ,x\n", "Line 4.*the scene is empty"),
        ("scene,datetime\na.tif,soon\n", 'Line 2.*datetime "soon" is none'),
        ('scene,aoi\na.tif,"1,2\n', "Line 2 .*cannot be read as CSV"),
        ("scene\n" + "a" * 200_000, "cannot be read as CSV"),
    ],
)
def test_tables_that_cannot_be_read_say_where(tmp_path, text, said) -> None:
    (tmp_path / "list.csv").write_text(text)
    with pytest.raises(UsageError, match=said):
        find_scenes([str(tmp_path / "list.csv")])


def test_lists_are_bounded_in_size_and_number(tmp_path, monkeypatch) -> None:
    (tmp_path / "list.txt").write_text("a.tif\nb.tif\nc.tif\n")
    monkeypatch.setattr(listing, "MAX_SCENES", 2)
    with pytest.raises(TooLargeError, match="more than 2 scenes"):
        find_scenes([str(tmp_path / "list.txt")])
    with pytest.raises(TooLargeError, match="The batch names more than 2"):
        find_scenes(["a.tif", "b.tif", "c.tif"])
    monkeypatch.setattr(text_lists, "MAX_BYTES", 10)
    with pytest.raises(TooLargeError, match="the most for a list"):
        find_scenes([str(tmp_path / "list.txt")])


def test_sources_keep_their_order_and_what_is_named_twice_stays_twice(tmp_path) -> None:
    touch(tmp_path, "b.tif", "a.tif")
    found = find_scenes(["z.tif", str(tmp_path), str(tmp_path / "a.tif"), "z.tif"])
    names = [Path(s.path).name for s in found.scenes]
    assert names == ["z.tif", "a.tif", "b.tif", "a.tif", "z.tif"]
    assert [s.source for s in found.scenes[1:3]] == [str(tmp_path)] * 2
    assert (found.found, found.notes) == (5, ())


def test_limit_takes_the_first_and_says_so() -> None:
    names = [f"{n}.tif" for n in range(1200)]
    found = find_scenes(names, limit=3)
    assert [s.path for s in found.scenes] == names[:3]
    assert found.found == 1200
    assert found.notes == ("The first 3 of 1,200 scenes, --limit 3.",)
    assert find_scenes(names[:3], limit=3).notes == ()


def test_a_sample_says_that_it_is_the_same_every_time() -> None:
    names = [f"{n}.tif" for n in range(4000)]
    found = find_scenes(names, sample=312)
    assert len(found.scenes) == 312
    assert found.notes == ("312 of 4,000 scenes, --sample 312, the same every time.",)
    assert find_scenes(names, sample=312) == found
    other = find_scenes(names, sample=312, seed=7)
    assert "with seed 7" in other.notes[0]
    assert 0 < len({s.path for s in found.scenes} & {s.path for s in other.scenes}) < 100  # 24 by chance
    assert find_scenes(names, sample=4000).notes == ()


@given(
    st.lists(st.sampled_from("abcdefghijkl"), min_size=1, max_size=30),
    st.integers(1, 30),
    st.integers(0, 3),
    st.randoms(),
)
def test_a_sample_is_the_same_set_in_any_order_and_keeps_the_order(names, count, seed, chance) -> None:
    scenes = [f"{name}.tif" for name in names]
    taken = paths(*scenes, sample=count, seed=seed)
    assert len(taken) == min(count, len(scenes))
    rest = iter(scenes)
    assert all(path in rest for path in taken)  # a subsequence
    shuffled = scenes[:]
    chance.shuffle(shuffled)
    assert sorted(paths(*shuffled, sample=count, seed=seed)) == sorted(taken)


def test_a_sample_counts_each_area_of_a_scene(tmp_path) -> None:
    rows = [{"scene": f"{name}.tif", "aoi": f"0,0,{n},{n}"} for name in "ab" for n in range(1, 20)]

    def taken(rows: list[dict[str, str]]) -> set[tuple[str, str | None]]:
        scenes = find_scenes([str(table(tmp_path / "l.csv", rows))], sample=10).scenes
        return {(scene.path, scene.aoi) for scene in scenes}

    assert len(taken(rows)) == 10
    assert taken(rows) == taken(rows[::-1])


def test_a_smaller_sample_lies_within_a_larger_one_and_every_scene_has_the_same_chance() -> None:
    names = [f"{n}.tif" for n in range(200)]
    small, large = paths(*names, sample=20), paths(*names, sample=60)
    assert set(small) < set(large)
    seen = dict.fromkeys(names, 0)
    for seed in range(200):
        for path in paths(*names, sample=50, seed=seed):
            seen[path] += 1
    # Binomial(200, 1/4): 50 +- 6.1; five standard deviations over 200 scenes
    assert min(seen.values()) > 19
    assert max(seen.values()) < 81


def test_limit_of_a_sample_is_its_beginning() -> None:
    names = [f"{n}.tif" for n in range(100)]
    found = find_scenes(names, sample=20, limit=5)
    assert [s.path for s in found.scenes] == paths(*names, sample=20)[:5]
    assert found.notes[1] == "The first 5 of the sample, --limit 5."


@pytest.mark.parametrize(("option", "number"), list(itertools.product(["limit", "sample"], [0, -1])))
def test_less_than_one_scene_is_refused(option, number) -> None:
    with pytest.raises(UsageError, match=f"--{option} {number} is no number of scenes"):
        find_scenes(["a.tif"], **{option: number})


def test_a_name_that_is_no_unicode_is_a_failed_scene_with_a_name_to_show(tmp_path) -> None:
    os.close(os.open(os.fsencode(tmp_path) + b"/b\xe9.tif", os.O_CREAT))
    touch(tmp_path, "a.tif")
    good, bad = find_scenes([str(tmp_path)]).scenes
    assert (good.reason, Path(good.path).name) == (None, "a.tif")
    assert "is not UTF-8" in bad.reason
    bad.path.encode()


@given(st.lists(st.text(min_size=1, max_size=20), max_size=5))
def test_any_text_gives_scenes_or_a_sentence(tmp_path_factory, texts) -> None:
    place = tmp_path_factory.getbasetemp() / "any"
    place.mkdir(exist_ok=True)
    for suffix in finding.TEXT_SUFFIXES + finding.JSON_SUFFIXES:
        (place / f"l{suffix}").write_text(
            "\n".join(["scene,aoi", *texts]), encoding="utf-8", errors="replace"
        )
        said, scenes = "", ()
        try:
            scenes = find_scenes([str(place / f"l{suffix}")]).scenes
        except UsageError as err:
            said = str(err)
        assert said.endswith(".") != bool(scenes)


def test_thousands_of_lines_are_read_in_seconds(tmp_path) -> None:
    lines = [f"tile_{n}.tif" for n in range(100_000)]
    random.Random(1).shuffle(lines)
    (tmp_path / "l.txt").write_text("\n".join(lines))
    found = find_scenes([str(tmp_path / "l.txt")], sample=1000)
    assert (found.found, len(found.scenes)) == (100_000, 1000)
