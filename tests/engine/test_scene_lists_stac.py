"""STAC documents on disk: pystac writes and reads them as the oracle."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import numpy as np
import pystac
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st

from groundproof.errors import TooLargeError, UsageError
from groundproof.scene_lists import find_scenes, json_files
from groundproof.scene_lists.hrefs import REMOTE_SCHEMES, local_href, remote_href
from groundproof.scene_lists.stac import Document, choose_asset, scenes_of

COG = "image/tiff; application=geotiff; profile=cloud-optimized"
NOON = dt.datetime(2026, 5, 31, 12, 0, tzinfo=dt.UTC)


def item(name: str, *, self_href: str | None = None, **assets: pystac.Asset) -> pystac.Item:
    made = pystac.Item(
        name, {"type": "Point", "coordinates": [3, 50]}, [3, 50, 3, 50], NOON, {}, assets=assets
    )
    if self_href is not None:
        made.set_self_href(self_href)
    return made


def cog(href: str, *roles: str) -> pystac.Asset:
    return pystac.Asset(href, media_type=COG, roles=list(roles))


def saved(path: Path, *items: pystac.Item) -> str:
    pystac.ItemCollection(items).save_object(str(path))
    return str(path)


def paths(source: str, **options: str) -> list[str]:
    return [scene.path for scene in find_scenes([source], **options).scenes]


def test_an_item_collection_gives_what_pystac_finds_in_it(tmp_path) -> None:
    place = saved(
        tmp_path / "items.json",
        item("far", self_href="https://example.org/stac/far.json", visual=cog("./cogs/far.tif?x=1")),
        item("root", self_href="https://example.org/stac/root.json", visual=cog("/cogs/root.tif")),
        item("up", self_href="https://example.org/stac/deep/up.json", visual=cog("../up.tif")),
        item("bucket", self_href="s3://bucket/stac/a.json", visual=cog("../cogs/a.tif")),
        item("absolute", visual=cog("https://example.org/absolute.tif")),
        item("object", visual=cog("s3://bucket/key.tif")),
        item("vsi", visual=cog("/vsis3/bucket/key.tif")),
        item("disk", visual=cog("/data/disk.tif")),
        item("moved", self_href=str(tmp_path / "elsewhere" / "moved.json"), visual=cog("./moved.tif")),
    )
    found = find_scenes([place]).scenes
    assets = [i.assets["visual"] for i in pystac.ItemCollection.from_file(place)]
    expected = [asset.get_absolute_href() or asset.href for asset in assets]
    assert [s.path for s in found] == sorted(expected)
    assert {s.datetime for s in found} == {"2026-05-31T12:00:00Z"}
    assert {(s.source, s.reason, s.aoi) for s in found} == {(place, None, None)}


def test_hrefs_without_a_self_link_are_relative_to_the_file(tmp_path, monkeypatch) -> None:
    (tmp_path / "in").mkdir()
    saved(
        tmp_path / "in" / "items.geojson", item("a", visual=cog("./a.tif")), item("b", visual=cog("../b.tif"))
    )
    monkeypatch.chdir(tmp_path)
    assert paths("in/items.geojson") == sorted([f"{tmp_path}/in/a.tif", f"{tmp_path}/b.tif"])


def test_a_single_item_is_one_scene_that_opens(tmp_path) -> None:
    with rasterio.open(
        tmp_path / "my scene.tif", "w", driver="GTiff", width=4, height=3, count=1, dtype="uint8",
        crs="EPSG:32631", transform=rasterio.Affine(1, 0, 5e5, 0, -1, 56e5),
    ) as out:  # fmt: skip
        out.write(np.arange(12, dtype=np.uint8).reshape(1, 3, 4))
    made = item("one", data=cog("./my%20scene.tif", "data"))
    made.set_self_href(str(tmp_path / "one.json"))
    made.save_object(include_self_link=False)
    (path,) = paths(str(tmp_path / "one.json"))
    with rasterio.open(path) as scene:
        assert scene.read().sum() == 66
    made.assets["data"].href = (tmp_path / "my scene.tif").as_uri()
    made.save_object(include_self_link=True)
    assert paths(str(tmp_path / "one.json")) == [path]


def test_a_folder_of_items_is_a_glob(tmp_path) -> None:
    for name in "ba":
        item(name, visual=cog(f"/data/{name}.tif")).save_object(dest_href=str(tmp_path / f"{name}.json"))
    assert paths(str(tmp_path / "*.json")) == ["/data/a.tif", "/data/b.tif"]
    item("c", **THUMBNAIL).save_object(dest_href=str(tmp_path / "c.json"))
    (tmp_path / "d.json").write_text("{")
    found = find_scenes([str(tmp_path / "*.json")]).scenes
    assert [scene.reason is None for scene in found] == [True, True, False, False]
    assert (found[3].path, found[3].source) == (str(tmp_path / "d.json"), str(tmp_path / "*.json"))
    assert "cannot be read as JSON" in found[3].reason
    with pytest.raises(UsageError, match="none of its 2 scenes can be used"):
        find_scenes([str(tmp_path / "[cd].json")])


BANDS = {"red": cog("r.tif", "data"), "nir": cog("n.tif", "data")}
THUMBNAIL = {"thumbnail": pystac.Asset("t.jpg", media_type="image/jpeg", roles=["thumbnail"])}
METADATA = {"xml": pystac.Asset("m.xml", media_type="application/xml", roles=["metadata"])}


@pytest.mark.parametrize(
    ("assets", "key", "taken"),
    [
        ({**BANDS, "visual": cog("v.tif")}, None, "visual"),
        ({**BANDS, "visual": pystac.Asset("v.jpg", media_type="image/jpeg")}, None, "visual"),
        ({**BANDS, "tci": cog("v.tif", "visual")}, None, "tci"),
        ({"image": cog("i.tif"), **THUMBNAIL, **METADATA}, None, "image"),
        ({"image": cog("i.tif", "data"), "mask": cog("m.tif", "data-mask")}, None, "image"),
        ({"image": cog("i.tif"), "preview": cog("p.tif", "overview")}, None, "image"),
        ({"image": pystac.Asset("i.jp2", media_type="image/jp2")}, None, "image"),
        ({"image": pystac.Asset("https://e.org/i.TIFF?key=1")}, None, "image"),
        ({**BANDS, "visual": cog("v.tif")}, "nir", "nir"),
        ({**BANDS, **METADATA}, "xml", "xml"),
    ],
)  # fmt: skip
def test_the_asset_that_holds_the_scene_is_taken(assets, key, taken) -> None:
    chosen = {name: asset.to_dict() for name, asset in assets.items()}
    assert choose_asset(chosen, key, "x")[0] == taken


@pytest.mark.parametrize(
    ("assets", "key", "said"),
    [
        ({**BANDS, **THUMBNAIL}, None, "x has 2 raster assets .* --asset KEY: red, nir and thumbnail"),
        ({**THUMBNAIL, **METADATA}, None, "x has no raster asset. Name one .*: thumbnail and xml"),
        ({}, None, "x has no raster asset. It has none"),
        (BANDS, "visual", 'x has no asset "visual".*: red and nir'),
    ],
)
def test_without_one_such_asset_all_are_named(assets, key, said) -> None:
    with pytest.raises(UsageError, match=said):
        choose_asset({name: asset.to_dict() for name, asset in assets.items()}, key, "x")


def test_an_item_without_the_asset_is_a_failed_scene_among_good_ones(tmp_path) -> None:
    place = saved(tmp_path / "i.json", item("good", red=cog("/r.tif")), item("bad", **THUMBNAIL))
    bad, good = sorted(find_scenes([place]).scenes, key=lambda s: s.reason is None)
    assert (good.path, good.reason) == ("/r.tif", None)
    assert bad.path == f"{place}#bad"
    assert bad.datetime == "2026-05-31T12:00:00Z"
    assert "bad has no raster asset" in bad.reason
    assert "--asset KEY: thumbnail" in bad.reason


def test_when_no_item_has_the_asset_the_request_is_wrong(tmp_path) -> None:
    place = saved(tmp_path / "i.json", item("a", **BANDS), item("b", **BANDS))
    with pytest.raises(UsageError, match=r"none of its 2 scenes can be used\. a has 2 raster assets"):
        find_scenes([place])
    assert [Path(p).name for p in paths(place, asset="nir")] == ["n.tif", "n.tif"]
    with pytest.raises(UsageError, match=r'its only scene cannot be used\. a has no asset "green"'):
        find_scenes([saved(tmp_path / "i.json", item("a", **BANDS))], asset="green")


def test_a_period_is_no_moment(tmp_path) -> None:
    period = item("year", visual=cog("/y.tif"))
    period.datetime = None
    period.common_metadata.start_datetime = NOON
    period.common_metadata.end_datetime = NOON + dt.timedelta(days=365)
    assert find_scenes([saved(tmp_path / "i.json", period)]).scenes[0].datetime is None


def test_one_page_of_a_search_is_read_and_said_to_be_one(tmp_path) -> None:
    content = pystac.ItemCollection([item("a", visual=cog("/a.tif"))]).to_dict()
    content["links"] = [{"rel": "next", "href": "https://example.org/search?page=2"}]
    (tmp_path / "page.json").write_text(json.dumps(content))
    (note,) = find_scenes([str(tmp_path / "page.json")]).notes
    assert "one page of a search" in note


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "cannot be read as JSON"),
        ("\ufeff{", "cannot be read as JSON"),
        ("[" * 100_000, "cannot be read as JSON"),
        ("[1]", "no JSON object"),
        ("{}", "has no type"),
        ('{"type": "Collection", "id": "naip"}', "is a STAC Collection, which describes scenes"),
        ('{"type": "Catalog"}', "is a STAC Catalog"),
        ('{"type": "Feature", "geometry": null, "properties": {}}', "is of type Feature"),
        ('{"type": "FeatureCollection", "features": []}', "its features are none"),
        ('{"type": "FeatureCollection", "features": 3}', "its features are none"),
        (
            '{"type": "FeatureCollection", "features": [{"properties": {"name": "x", "n": 1}}]}',
            "It has name and n. If it holds areas, give it with --aoi",
        ),
        ('{"type": "FeatureCollection", "features": [7]}', "It has no fields"),
    ],
)  # fmt: skip
def test_documents_that_list_no_scenes_are_told_what_they_are(tmp_path, content, said) -> None:
    (tmp_path / "d.json").write_text(content)
    with pytest.raises(UsageError, match=said):
        find_scenes([str(tmp_path / "d.json")])


def test_documents_are_bounded(tmp_path, monkeypatch) -> None:
    place = saved(tmp_path / "i.json", item("a", visual=cog("/a.tif")))
    monkeypatch.setattr(json_files, "MAX_BYTES", 100)
    with pytest.raises(TooLargeError, match="the most for a document"):
        find_scenes([place])


REMOTE = Document("https://example.org/stac/items.json", remote=True)


@pytest.mark.parametrize(
    "href",
    [
        "file:///etc/passwd", "FILE:///etc/passwd", "file:/etc/passwd", "file://localhost/etc/passwd", "c:\\secret.tif",
        "zip+file:///etc/a.zip!b.tif", "zip+https://example.org/a.zip!b.tif", "ftp://example.org/a.tif",
        "vrt:///etc/a.tif", "NETCDF:/etc/a.nc:band", "data:text/plain,x", "s3:///etc/passwd",
        "http://[", "a\nb.tif", "a\0.tif", "", "x" * 9000,
    ],
)  # fmt: skip
def test_a_document_from_the_network_names_nothing_on_this_machine(href) -> None:
    content = item("bad", visual=cog("x")).to_dict()
    content["assets"]["visual"]["href"] = href
    (scene,) = scenes_of([content], REMOTE, REMOTE.href, None)
    assert 'The asset "visual" of bad' in scene.reason
    assert scene.path == f"{REMOTE.href}#bad"


@pytest.mark.parametrize(
    "own", ["file:///etc/x.json", "/etc/x.json", "../x.json", "s3:///x.json", "http://["]
)
def test_a_self_link_to_this_machine_is_not_followed(own) -> None:
    content = item("a", visual=cog("./passwd")).to_dict()
    content["links"] = [{"rel": "self", "href": own}]
    (scene,) = scenes_of([content], REMOTE, REMOTE.href, None)
    assert scene.path == "https://example.org/stac/passwd"


PIECES = ["file:", "/", "//", "..", "\\", "s3:", "etc", "vsicurl", "?", "#", "%2e", ":", "GTI:", "https:"]


@given(st.text(max_size=30) | st.lists(st.sampled_from(PIECES)).map("".join))
def test_whatever_a_remote_href_is_it_stays_on_the_network(href) -> None:
    try:
        url = remote_href(href, REMOTE.href)
    except UsageError:
        return
    scheme, _, rest = url.partition("://")
    assert scheme.lower() in REMOTE_SCHEMES
    assert rest.partition("/")[0]


@given(st.lists(st.sampled_from(["a", "b.tif", "..", ".", "c d"]), min_size=1, max_size=5).map("/".join))
def test_relative_hrefs_are_as_pystac_has_them(href) -> None:
    web = "https://example.org/one/two/three/four/item.json"
    assert remote_href(href, web) == pystac.utils.make_absolute_href(href, web)
    assert local_href(href, web, "/x/y.json") == pystac.utils.make_absolute_href(href, web)
    disk = "/one/two/three/four/item.json"
    assert local_href(href, disk, disk) == pystac.utils.make_absolute_href(href, disk)
    assert local_href(href, f"file://{disk}", "/x/y.json") == pystac.utils.make_absolute_href(href, disk)


KEYS = ["type", "features", "assets", "href", "links", "rel", "properties", "datetime", "id", "roles"]
WORDS = ["Feature", "FeatureCollection", "self", "next", "image/tiff"]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(KEYS), inner | st.sampled_from(WORDS), max_size=5)
        ),
        max_leaves=20,
    )
)
def test_any_item_is_a_scene_or_a_reason(content) -> None:
    whole = {"type": "Feature", "assets": {"a": content}, "properties": content, "links": content}
    for scene in scenes_of([content, whole], REMOTE, "x", None):
        assert scene.path.startswith("https://example.org/") or scene.reason
