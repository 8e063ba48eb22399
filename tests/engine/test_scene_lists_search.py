"""STAC over HTTP: a real server on the loopback pages, redirects, stalls and lies."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pystac
import pytest
import rasterio
from rasterio.io import MemoryFile

from groundproof.errors import TooLargeError, UsageError
from groundproof.scene_lists import fetching, find_scenes, stac_search

Answer = tuple[int, dict[str, str], bytes]


class Web:
    """A server whose every path is a function from (query or body, headers) to an answer; notes requests."""

    def __init__(self) -> None:
        self.routes: dict[str, Callable[[dict[str, Any], dict[str, str]], Answer]] = {}
        self.asked: list[tuple[str, str, dict[str, Any], dict[str, str]]] = []
        web = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self, method: str) -> None:
                parts = urlsplit(self.path)
                length = int(self.headers.get("Content-Length", 0))
                given = (
                    json.loads(self.rfile.read(length))
                    if method == "POST"
                    else {k: v[0] for k, v in parse_qs(parts.query).items()}
                )
                headers = {k.lower(): v for k, v in self.headers.items()}
                web.asked.append((method, parts.path, given, headers))
                missing: Answer = (404, {}, b"")
                route = web.routes.get(parts.path)
                code, sent, body = missing if route is None else route(given, headers)
                self.send_response(code)
                for name, value in {"Content-Length": str(len(body)), **sent}.items():
                    self.send_header(name, value)
                self.end_headers()
                if method != "HEAD":
                    self.wfile.write(body)

            def do_HEAD(self) -> None:
                self._answer("HEAD")

            def do_GET(self) -> None:
                self._answer("GET")

            def do_POST(self) -> None:
                self._answer("POST")

            def log_message(self, *_: object) -> None:
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_port}"
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    def document(self, path: str, content: Any, code: int = 200, **headers: str) -> str:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        self.routes[path] = lambda _given, _headers: (code, sent, body)
        return self.url + path

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


@pytest.fixture
def web() -> Iterator[Web]:
    server = Web()
    yield server
    server.close()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch) -> None:
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")


def item(name: str, href: str = "", own: str | None = None) -> dict[str, Any]:
    content: dict[str, Any] = {
        "type": "Feature", "stac_version": "1.0.0", "id": name, "geometry": None,
        "properties": {"datetime": "2026-05-31T12:00:00Z"}, "links": [],
        "assets": {"visual": {"href": href or f"https://example.org/{name}.tif", "type": "image/tiff"}},
    }  # fmt: skip
    if own:
        content["links"].append({"rel": "self", "href": own})
    return content


def page(*items: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(items), "links": [], **more}


def names(found) -> list[str]:
    return [scene.path.removeprefix("https://example.org/") for scene in found.scenes]


def searching(web: Web, total: int, size: int, *, post: bool, merge: bool = False) -> str:
    """A search of `total` items by pages, next links as STAC API 1.0 describes them."""

    def search(given: dict[str, Any], _headers: dict[str, str]) -> Answer:
        start = int(given.get("token", 0))
        part = [item(f"{n:04}") for n in range(total - 1, -1, -1)][start : start + size]
        content = page(*part, numberMatched=total)
        if start + size < total:
            if post:
                body = {"token": start + size} if merge else {**given, "token": start + size}
                link = {
                    "rel": "next",
                    "href": web.url + "/search",
                    "method": "POST",
                    "body": body,
                    "merge": merge,
                }
            else:
                link = {"rel": "next", "href": f"/search?collections=naip&token={start + size}"}
            content["links"] = [{"rel": "self", "href": web.url}, link]
        return 200, {"Content-Type": "application/geo+json"}, json.dumps(content).encode()

    web.routes["/search"] = search
    return web.url + "/search?collections=naip"


@pytest.mark.parametrize(("post", "merge"), [(False, False), (True, False), (True, True)])
def test_all_pages_of_a_search_are_read_once(web, post, merge) -> None:
    found = find_scenes([searching(web, 25, 10, post=post, merge=merge)])
    assert names(found) == [f"{n:04}.tif" for n in range(25)]
    assert (found.found, found.notes) == (25, ())
    assert [method for method, *_ in web.asked] == ["GET", *["POST" if post else "GET"] * 2]
    assert [int(given.get("token", 0)) for _, _, given, _ in web.asked] == [0, 10, 20]
    assert web.asked[0][2] == {"collections": "naip"}
    if post:
        assert {headers["content-type"] for *_, headers in web.asked[1:]} == {"application/json"}
    assert {scene.datetime for scene in found.scenes} == {"2026-05-31T12:00:00Z"}


def test_a_merged_body_holds_what_the_page_before_was_asked_with(web) -> None:
    url = searching(web, 35, 10, post=True, merge=True)
    first = web.routes["/search"]

    def with_more(given: dict[str, Any], headers: dict[str, str]) -> Answer:
        code, sent, body = first(given, headers)
        content = json.loads(body)
        for link in content["links"]:
            if link["rel"] == "next" and link["body"]["token"] == 10:
                link["body"]["limit"] = 10  # only the second request says so
        return code, sent, json.dumps(content).encode()

    web.routes["/search"] = with_more
    assert find_scenes([url]).found == 35
    assert [given.get("limit") for _, _, given, _ in web.asked] == [None, 10, 10, 10]


def test_sampling_a_search_does_not_depend_on_its_pages(web) -> None:
    taken = [find_scenes([searching(web, 60, size, post=False)], sample=7) for size in (60, 11, 1)]
    assert taken[0].scenes == taken[1].scenes == taken[2].scenes
    assert taken[0].notes == ("7 of 60 scenes, --sample 7, the same every time.",)


def test_relative_links_are_of_the_item_or_else_of_where_the_document_came_from(web) -> None:
    web.document("/old/items.json", b"", 302, Location="/new/deep/items.json")
    web.document(
        "/new/deep/items.json",
        page(
            item("a", "./a.tif"), item("b", "../b.tif"), item("c", "/c.tif"),
            item("d", "./d.tif", own=f"{web.url}/own/d/item.json"), item("e", "./e.tif", own="./e/item.json"),
        ),
    )  # fmt: skip
    found = find_scenes([web.url + "/old/items.json"])
    assert [s.path.removeprefix(web.url) for s in found.scenes] == [
        "/c.tif", "/new/b.tif", "/new/deep/a.tif", "/new/deep/e.tif", "/own/d/d.tif",
    ]  # fmt: skip


def test_a_single_item_opens(web) -> None:
    with MemoryFile() as memory:
        with memory.open(driver="GTiff", width=2, height=2, count=1, dtype="uint8", crs="EPSG:32631") as out:
            out.write(np.full((1, 2, 2), 7, np.uint8))
        data = memory.read()
    web.document("/collections/c/items/cogs/a.tif", data)
    url = web.document("/collections/c/items/one", item("one", "./cogs/a.tif"))
    (scene,) = find_scenes([url]).scenes
    assert scene.path == f"{web.url}/collections/c/items/cogs/a.tif"
    with rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="EMPTY_DIR"), rasterio.open(scene.path) as opened:
        assert opened.read().tolist() == [[[7, 7], [7, 7]]]


def test_what_pystac_serves_is_what_pystac_reads(web, tmp_path) -> None:
    content = page(
        item("a", "./a.tif", own=f"{web.url}/x/a.json"), item("b", "../b.tif", own=f"{web.url}/y/z/b.json")
    )
    url = web.document("/items.geojson", content)
    items = pystac.ItemCollection.from_dict(content)
    expected = [i.assets["visual"].get_absolute_href() for i in items]
    assert [s.path for s in find_scenes([url]).scenes] == sorted(expected)


@pytest.mark.parametrize(
    "href", ["file:///etc/passwd", "/etc/passwd", "zip+file:///etc/x.zip!a.tif", "vrt:///etc/x"]
)
def test_a_document_from_the_network_names_no_local_file(web, href) -> None:
    url = web.document("/items.json", page(item("good"), item("evil", href, own="file:///etc/item.json")))
    for scene in find_scenes([url]).scenes:
        assert scene.reason or scene.path.startswith(("https://example.org/", web.url + "/"))
    if "://" in href:
        with pytest.raises(UsageError, match="may name only URLs"):
            find_scenes([web.document("/items.json", page(item("evil", href)))])


@pytest.mark.parametrize(
    "href", ["file:///etc/passwd", "ftp://127.0.0.1/x", "data:application/json,{}", "http://["]
)
def test_a_next_page_is_http(web, href) -> None:
    content = page(item("a"), links=[{"rel": "next", "href": href}])
    with pytest.raises(UsageError, match="next page that is no http"):
        find_scenes([web.document("/items.json", content)])


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x"])
def test_a_redirect_leads_to_http_only(web, target) -> None:
    with pytest.raises(UsageError, match=r"redirects to|refuses"):
        find_scenes([web.document("/items.json", b"", 302, Location=target)])
    assert len(web.asked) == 1


def test_redirects_end(web) -> None:
    with pytest.raises(UsageError, match="refuses the request"):
        find_scenes([web.document("/items.json", b"", 302, Location="/items.json")])
    assert len(web.asked) < 20


def test_headers_of_a_next_link_stay_with_the_host_that_asked_for_them(web) -> None:
    other = Web()
    try:
        own = {"X-Token": "secret", "Host": "evil", "Cookie": "a", "X-Split": "a\r\nb: c", "X-Number": 7}
        links = [{"rel": "next", "href": "/two", "headers": own}]
        url = web.document("/items.json", page(item("a"), links=links))
        links = [{"rel": "next", "href": other.url + "/three", "headers": own}]
        web.document("/two", page(item("b"), links=links))
        other.document("/three", page(item("c"), links=[{"rel": "next", "href": "/four", "headers": own}]))
        other.document("/four", b"", 302, Location=web.url + "/five")
        web.document("/five", page(item("d")))
        assert names(find_scenes([url])) == ["a.tif", "b.tif", "c.tif", "d.tif"]
        (first, second, fifth), (third, fourth) = ([h for *_, h in w.asked] for w in (web, other))
        assert [h.get("x-token") for h in (first, second, third, fourth, fifth)] == [
            None,
            "secret",
            None,
            "secret",
            None,
        ]
        assert all("cookie" not in h and "x-split" not in h and "x-number" not in h for h in (second, fourth))
        assert second["host"] == web.url.removeprefix("http://")
    finally:
        other.close()


def test_pages_that_come_again_end(web) -> None:
    url = web.document("/items.json", page(item("a"), links=[{"rel": "next", "href": "/items.json"}]))
    with pytest.raises(TooLargeError, match="come again after 1 scenes"):
        find_scenes([url])
    assert len(web.asked) == 1


def test_pages_are_bounded_in_number_and_size(web, monkeypatch) -> None:
    url = searching(web, 50, 1, post=False)
    monkeypatch.setattr(stac_search, "MAX_PAGES", 5)
    with pytest.raises(TooLargeError, match="are more than 5 after 5 scenes"):
        find_scenes([url])
    monkeypatch.setattr(fetching, "MAX_PAGE_BYTES", 2**20)
    endless = page(item("a"), padding="x" * 2**21)
    with pytest.raises(TooLargeError, match=r"more than 1 MB at once.*smaller pages"):
        find_scenes([web.document("/items.json", endless)])


def test_an_empty_page_is_the_last(web) -> None:
    url = web.document("/items.json", page(item("a"), links=[{"rel": "next", "href": "/two"}]))
    web.document("/two", page(links=[{"rel": "next", "href": "/three"}]))
    assert names(find_scenes([url])) == ["a.tif"]
    assert len(web.asked) == 2


def test_a_search_that_holds_fewer_than_it_says_is_noted(web) -> None:
    for more in ({"numberMatched": 9}, {"context": {"matched": 9}}):
        (note,) = find_scenes([web.document("/items.json", page(item("a"), **more))]).notes
        assert "says that 9 items match; its pages hold 1." in note


def test_a_slow_server_is_given_up(web, monkeypatch) -> None:
    monkeypatch.setattr(fetching, "SILENCE_S", 0.2)
    monkeypatch.setattr(fetching, "BACK_OFF_S", 0.01)

    def stall(_given: dict[str, Any], _headers: dict[str, str]) -> Answer:
        time.sleep(0.6)
        return 200, {}, b"{}"

    web.routes["/items.json"] = stall
    with pytest.raises(UsageError, match="cannot be reached: timed out"):
        find_scenes([web.url + "/items.json"])
    assert len(web.asked) == fetching.ATTEMPTS


def test_a_document_that_drips_is_given_up(web, monkeypatch) -> None:
    monkeypatch.setattr(fetching, "PAGE_S", 0.0)
    with pytest.raises(UsageError, match="takes longer than 0 s"):
        find_scenes([web.document("/items.json", page(item("a")))])


def test_a_cut_connection_is_tried_again(web, monkeypatch) -> None:
    monkeypatch.setattr(fetching, "BACK_OFF_S", 0.01)
    whole = json.dumps(page(item("a"))).encode()

    def cut(_given: dict[str, Any], _headers: dict[str, str]) -> Answer:
        longer = {"Content-Length": str(len(whole) + 9), "Connection": "close"}
        return (200, longer, whole) if len(web.asked) < 2 else (200, {}, whole)

    web.routes["/items.json"] = cut
    assert names(find_scenes([web.url + "/items.json"])) == ["a.tif"]
    assert len(web.asked) == 2


@pytest.mark.parametrize("code", [429, 502, 503, 504])
def test_a_busy_server_is_asked_again(web, code) -> None:
    whole = json.dumps(page(item("a"))).encode()
    web.routes["/items.json"] = lambda _g, _h: (
        (code, {"Retry-After": "0"}, b"") if len(web.asked) < 3 else (200, {}, whole)
    )
    assert names(find_scenes([web.url + "/items.json"])) == ["a.tif"]
    web.document("/items.json", b"", code, Retry_After="0")
    with pytest.raises(UsageError, match=rf"is busy \(HTTP {code}, 3 times\)"):
        find_scenes([web.url + "/items.json"])


@pytest.mark.parametrize(
    ("code", "content", "said"),
    [
        (404, b"", r"is not there \(HTTP 404\)"),
        (403, b"", r"wants to know who asks \(HTTP 403\).*Save the result"),
        (400, b"", r"refuses the request \(HTTP 400\)"),
        (500, b"", r"refuses the request \(HTTP 500\)"),
        (200, b"<html>", "sends no JSON"),
        (200, b"\xff\xfe", "sends no JSON"),
        (200, b"[" * 100_000, "sends no JSON"),
        (200, b"[]", "is no STAC Item and no result"),
        (200, b'{"type": "Collection"}', "but a STAC Collection. Add /items"),
        (200, b'{"type": "FeatureCollection", "features": [{"properties": {"location": "/x"}}]}', "Tile indexes are"),
        (200, b'{"type": "FeatureCollection", "features": []}', "found nothing"),
    ],
)  # fmt: skip
def test_what_is_no_list_of_scenes_is_told_without_secrets(web, code, content, said) -> None:
    url = web.document("/search", content, code) + "?token=hush"
    with pytest.raises(UsageError, match=said) as told:
        find_scenes([url])
    assert "hush" not in str(told.value)


def test_passwords_in_addresses_are_refused_and_not_shown(web) -> None:
    web.document("/items.json", page(item("a")))
    with pytest.raises(UsageError, match="name or password") as told:
        find_scenes([web.url.replace("//", "//user:hush@") + "/items.json"])
    assert "hush" not in str(told.value)
    assert web.asked == []


def test_an_unreachable_server_is_told(monkeypatch) -> None:
    monkeypatch.setattr(fetching, "BACK_OFF_S", 0.01)
    gone = Web()
    gone.close()
    with pytest.raises(UsageError, match=r"cannot be reached: .*refused.*Check the address"):
        find_scenes([gone.url + "/items.json"])


def test_letters_of_any_language_may_stand_in_an_address(web) -> None:
    web.document("/h%C3%A4fen/items.json", page(item("a")))
    assert names(find_scenes([web.url + "/häfen/items.json?q=a b"])) == ["a.tif"]
    assert web.asked[0][2] == {"q": "a b"}


@pytest.mark.parametrize(
    ("path", "stac"),
    [
        ("/v1/search", True), ("/search/", True), ("/collections/c/items", True), ("/collections/c/items/S2A", True),
        ("/x/items.json", True), ("/x/a.GeoJSON", True), ("/x/a.tif", False), ("/collections/c/items/a.tif", False),
        ("/x/a.json.tif", False), ("/cog", False), ("/searching/a.jp2", False),
    ],
)  # fmt: skip
def test_stac_documents_are_known_by_their_address(web, path, stac) -> None:
    web.document(path, page(item("a")))
    (scene,) = find_scenes([f"{web.url}{path}?x=search"]).scenes
    assert (scene.path == "https://example.org/a.tif") == stac
    assert len(web.asked) == stac
