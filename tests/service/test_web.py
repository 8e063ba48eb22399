"""The web page, in a real browser, against a real service: what a person sees agrees with the API."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from PIL import Image
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from groundproof.boxes import BoxFrame, ModelBox
from groundproof.outputs.palette import VERDICTS
from groundproof.protocol import Finding, count_trace
from groundproof.service.routes.web import WEB
from tests.engine.conftest import BOXES, Squares, write_squares
from tests.engine.square_finder import SquareFinder
from tests.engine.square_finder import squares as bright_squares
from tests.service.browser import Page, chromium
from tests.service.conftest import QUESTION, Live

PLANTED = '<img src="nowhere" onerror="window.planted=1"><script>window.planted=1</script><b>bold</b>'


class Planting(SquareFinder):
    """Writes HTML into everything a person reads."""

    def say(self, *images: np.ndarray) -> str:
        height, width = images[0].shape[:2]
        found = [
            Finding(
                "airplane",
                ModelBox(x0 / width * 1e3, y0 / height * 1e3, x1 / width * 1e3, y1 / height * 1e3),
                PLANTED,
            )
            for x0, y0, x1, y1 in bright_squares(images[0])
        ]
        return count_trace(f"Look. {PLANTED}", found, BoxFrame.PER_MILLE, ("airplane",))


class Hesitating(SquareFinder):
    """Answers some tiles, then waits to be told to go on."""

    def __init__(self, tiles: int) -> None:
        super().__init__(max_in_flight=1)
        self.tiles = tiles
        self.go_on = threading.Event()

    def say(self, *images: np.ndarray) -> str:
        if self.answered > self.tiles:
            self.go_on.wait(60)
        return super().say(*images)


@pytest.fixture(scope="module")
def driver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with chromium(tmp_path_factory.mktemp("chromium")) as started:
        yield started


@pytest.fixture
def open_page(driver: webdriver.Chrome) -> Iterator[Callable[[Live], Page]]:
    """The page of a service, entered by its link. In the end the console must hold no complaint."""
    pages: list[Page] = []

    def opening(live: Live) -> Page:
        page = Page(driver, live.url)
        page.resize(1280, 800)
        page.enter()
        pages.append(page)
        return page

    yield opening
    left = [entry for page in pages for entry in page.complaints()]
    driver.get("about:blank")
    driver.delete_all_cookies()
    assert not left


@pytest.fixture
def page(live: Live, open_page: Callable[[Live], Page]) -> Page:
    return open_page(live)


def centre(corners: list[list[float]]) -> tuple[float, float]:
    x, y = np.array(corners[:4]).mean(axis=0)
    return float(x), float(y)


def test_a_dropped_geotiff_is_asked_about_and_every_box_appears_where_the_object_is(
    live: Live, page: Page, squares: Squares
) -> None:
    page.give(squares.path)
    assert "700 × 500 px · 0.5 m per px · EPSG:32631" in page.text("#caption")
    page.ask(QUESTION)
    assert page.answer() == "5 airplanes"
    api = live.http.get(f"/jobs/{page.job()}/results").json()
    assert page.answer() == api["answers"][0]["answer"]
    drawn = page.drawn()
    assert set(drawn) == {f"A1:{e['evidence_id']}" for e in api["evidence"]}
    corners = sorted(np.array(box)[:4].ravel().tolist() for box in drawn.values())
    truth = sorted([x0, y0, x1, y0, x1, y1, x0, y1] for x0, y0, x1, y1 in BOXES)
    np.testing.assert_allclose(corners, truth, atol=0.01)


def test_nothing_is_loaded_from_elsewhere(live: Live, page: Page, squares: Squares) -> None:
    page.give(squares.path)
    page.ask(QUESTION)
    page.answer()
    page.settled()
    requested = page.requested()
    assert len(requested) > 10
    assert [name for name in requested if not name.startswith((live.url, f"blob:{live.url}"))] == []


def test_the_link_leaves_no_token_in_the_address(live: Live, page: Page) -> None:
    assert page.run("return location.href") == f"{live.url}/app/"


def test_an_e_number_leads_to_its_box_and_a_box_to_its_sentence(page: Page, squares: Squares) -> None:
    page.give(squares.path)
    page.ask(QUESTION)
    page.answer()
    page.settled()
    drawn = page.drawn()
    page.find('li[data-key="A1:E5"] .go').click()
    page.settled()
    middle = page.run("return groundproof.map.getView().getCenter()")
    column, row = centre(drawn["A1:E5"])
    # The scene's corner: the view keeps to the scene and some of what is around.
    assert np.hypot(middle[0] - column, -middle[1] - row) < 40
    assert page.keys("[aria-current]") == ["A1:E5"]

    page.find(".synthesis .link").click()
    assert len(page.all("[aria-current]")) == 5
    page.settled()

    page.point(*centre(drawn["A1:E3"]))
    page.wait(lambda: page.keys("li.hot") == ["A1:E3"])
    place = (
        r"column 1\d\d, row 1\d\d · 4431\d\d\.\d, 4\d{6}\.\d \(EPSG:32631\) · 2\.36\d{3}° E, 37\.04\d{3}° N"
    )
    assert re.fullmatch(place, page.text("#readout"))
    page.point(*centre(drawn["A1:E3"]), click=True)
    page.wait(lambda: page.keys("[aria-current]") == ["A1:E3"])


def test_evidence_can_be_walked_through_with_the_keyboard(page: Page, squares: Squares) -> None:
    page.give(squares.path)
    page.ask(QUESTION)
    page.answer()
    page.run("document.querySelector('.synthesis .link').focus()")
    ActionChains(page.driver).send_keys(Keys.TAB).perform()
    page.wait(lambda: page.keys("li.hot") == ["A1:E1"])
    ActionChains(page.driver).send_keys(Keys.ENTER).perform()
    assert page.keys("[aria-current]") == ["A1:E1"]


def test_html_that_the_model_writes_stays_text(
    start: Callable[..., Any], open_page: Callable[[Live], Page], squares: Squares
) -> None:
    with start(Planting()) as live:
        page = open_page(live)
        page.give(squares.path)
        page.ask(f"How many airplanes are there? {PLANTED}")
        page.answer()
        assert "<img src=" in page.text(".evidence")
        assert PLANTED in page.text(".asked")
        assert page.run("return window.planted === undefined")
        assert page.all("#answer img, #answer script, #answer q b") == []
        assert page.complaints() == []


def test_boxes_appear_while_the_model_looks_and_cancelling_keeps_what_came(
    start: Callable[..., Any], open_page: Callable[[Live], Page], squares: Squares
) -> None:
    model = Hesitating(tiles=4)
    with start(model) as live:
        page = open_page(live)
        page.give(squares.path)
        page.ask(QUESTION)
        page.wait(lambda: len(page.drawn()) >= 2)
        assert "of 12 tiles" in page.text(".stage")
        assert {i.get_attribute("class") for i in page.all(".evidence li")} == {"live"}
        page.find("#cancel").click()
        model.go_on.set()
        page.wait(lambda: page.all(".downloads"))
        assert "cancelled" in page.text("#answer > .stage")
        assert page.drawn()
        assert live.wait(page.job())["status"] == "dismissed"


def test_a_page_that_is_loaded_again_in_the_middle_goes_on(
    start: Callable[..., Any], open_page: Callable[[Live], Page], squares: Squares
) -> None:
    model = Hesitating(tiles=4)
    with start(model) as live:
        page = open_page(live)
        page.give(squares.path)
        page.ask(QUESTION)
        page.wait(lambda: len(page.drawn()) >= 2)
        page.driver.refresh()
        page.wait(lambda: len(page.drawn()) >= 2)
        assert page.text(".asked") == QUESTION
        model.go_on.set()
        assert page.answer() == "5 airplanes"
        assert len(page.drawn()) == 5


def test_a_rectangle_on_the_map_is_all_that_is_asked_about(live: Live, page: Page, squares: Squares) -> None:
    page.give(squares.path)
    page.settled()
    page.find("#where input[value=rectangle]").click()
    assert "Draw the rectangle" in page.text("#before")
    page.point(140, 80, click=True)
    page.point(480, 360, click=True)
    page.wait(lambda: page.text("#before") == "One scene, the rectangle.")
    page.ask(QUESTION)
    assert page.answer() == "2 airplanes"
    assert sorted(round(box[0][0]) for box in page.drawn().values()) == [160, 300]
    # The rectangle stays on the map: the same pixels, by way of the scene's CRS and back.
    (ring,) = live.http.get("/preview", params={"job": page.job()}).json()["scenes"][0]["areas"]
    np.testing.assert_allclose([*np.min(ring, axis=0), *np.max(ring, axis=0)], [140, 80, 480, 360], atol=1)


def test_a_follow_up_is_asked_about_the_ticked_evidence(live: Live, page: Page, squares: Squares) -> None:
    page.give(squares.path)
    page.ask(QUESTION)
    page.answer()
    first = page.job()
    page.find('li[data-key="A1:E2"] input').click()
    assert page.text("#about") == "About E2 and what is around."
    page.find("#further").send_keys("How many airplanes are here?")
    page.find(".further button").click()
    page.wait(lambda: page.text(".asked") == "How many airplanes are here?")
    assert page.job() != first
    assert page.answer() == "1 airplane"
    context = live.http.get(f"/jobs/{page.job()}/results").json()["answers"][0]["context"]
    assert [e["evidence_id"] for e in context["follows"]["evidence"]] == ["E2"]
    page.driver.back()
    page.wait(lambda: page.text(".asked") == QUESTION)
    assert page.answer() == "5 airplanes"


def test_an_earlier_question_is_opened_from_the_list(live: Live, page: Page, squares: Squares) -> None:
    job = live.ask(squares.path)
    live.wait(job)
    page.find("#history-open").click()
    page.wait(lambda: page.all("#jobs .go"))
    assert page.text("#jobs .go").startswith(QUESTION)
    page.find("#jobs .go").click()
    assert page.answer() == "5 airplanes"
    assert page.job() == job
    assert len(page.drawn()) == 5


def test_a_file_below_an_allowed_folder_and_a_stored_scene_can_be_asked_about(
    live: Live, page: Page, squares: Squares
) -> None:
    page.find("#others summary").click()
    page.find("#path").send_keys(str(squares.path))
    page.find("#path-add").click()
    page.wait(lambda: page.all("#chosen li"))
    stored = live.http.post("/scenes/image", params={"name": "sent.tif"}, content=squares.path.read_bytes())
    assert stored.status_code == 201, stored.text
    page.find("#others summary").click()
    page.find("#others summary").click()
    page.wait(lambda: page.all("#stored option[value]:not([value=''])"))
    page.find("#stored option:nth-child(2)").click()
    page.wait(lambda: len(page.all("#chosen li")) == 2)
    page.ask(QUESTION)
    page.wait(lambda: len(page.all(".downloads")) == 1)
    assert [line.text for line in page.all(".answer-line")] == ["5 airplanes", "5 airplanes"]
    assert [name.text for name in page.all(".scene-name")] == ["squares", "sent"]
    page.find('article[data-answer="A2"] .go').click()
    assert page.text("#caption").startswith("sent ·")
    assert set(page.drawn()) == {f"A2:E{n}" for n in range(1, 6)}


def test_two_dates_of_one_place_are_compared_and_shown_in_turn(page: Page, squares: Squares) -> None:
    later = write_squares(squares.path.with_name("later.tif"), [*BOXES, (500, 200, 560, 260)])
    page.give(squares.path, later.path)
    page.find("#task option[value=change]").click()
    page.ask("What has changed?")
    page.answer()
    boxes = {tuple(box[0]) for box in page.drawn().values()}
    page.find("#shown option:nth-child(2)").click()
    page.settled()
    later_boxes = {tuple(box[0]) for box in page.drawn().values()}
    assert (500, 200) in {(round(x), round(y)) for x, y in later_boxes - boxes}
    assert "squares" in page.text("#caption")


def test_an_image_without_a_place_is_asked_about_in_pixels(
    page: Page, squares: Squares, tmp_path: Path
) -> None:
    pixels = np.full((300, 400, 3), 40, np.uint8)
    pixels[50:90, 100:150] = 250
    Image.fromarray(pixels).save(tmp_path / "plain.png")
    page.give(tmp_path / "plain.png")
    assert "no place on the map" in page.text("#caption")
    page.ask(QUESTION)
    assert page.answer() == "1 airplane"
    assert "50 × 40 px" in page.text(".evidence")
    np.testing.assert_allclose(page.drawn()["A1:E1"][0], [100, 50], atol=0.01)


def test_what_cannot_be_done_is_said_in_a_sentence(page: Page, tmp_path: Path, squares: Squares) -> None:
    (tmp_path / "notes.tif").write_text("These are notes.")
    page.find("#file").send_keys(str(tmp_path / "notes.tif"))
    page.wait(lambda: page.text("#problem").startswith("notes.tif: "))
    page.find("#question").send_keys(QUESTION)
    page.find("#submit").click()
    page.wait(lambda: page.text("#problem").startswith("Give an image first"))
    assert len(page.complaints()) == 1  # the browser notes the 422 of the upload


def test_a_page_without_access_says_how_to_get_it(live: Live, open_page: Callable[[Live], Page]) -> None:
    page = open_page(live)
    page.driver.delete_all_cookies()
    page.driver.refresh()
    page.wait(lambda: "Open the link that `groundproof serve` printed" in page.text("#problem"))
    assert [c for c in page.complaints() if "401" not in c["message"]] == []


@pytest.mark.parametrize("width", [390, 1280])
def test_the_page_fits_the_screen(page: Page, squares: Squares, width: int) -> None:
    page.resize(width, 800)
    page.give(squares.path)
    page.ask(QUESTION)
    page.answer()
    wide = page.run(
        "return [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth + 1"
        " && !e.closest('#map')).map(e => e.outerHTML.slice(0, 80))"
    )
    assert wide == []
    assert page.run("return document.documentElement.scrollWidth") <= width


def test_north_points_where_the_scene_was_turned(page: Page, squares: Squares) -> None:
    page.give(squares.path)
    angle = page.find("#north").get_attribute("style")
    turned = float(re.search(r"rotate\((-?[\d.]+)rad\)", str(angle))[1])
    # The affine turns the scene by 20 degrees; meridian convergence at 2.36 E in zone 31 is -0.38.
    assert abs(np.degrees(turned)) == pytest.approx(20.0, abs=0.6)
    page.find("#north").click()
    page.settled()
    assert page.run("return groundproof.map.getView().getRotation()") == pytest.approx(-turned)


def test_the_api_page_shows_every_operation_and_loads_nothing_from_elsewhere(live: Live, page: Page) -> None:
    page.driver.get(f"{live.url}/docs")
    document = live.http.get("/openapi.json").json()
    operations = sum(len(set(path) - {"parameters"}) for path in document["paths"].values())
    page.wait(lambda: len(page.all(".opblock")) == operations)
    page.find(".opblock-post button").click()
    page.wait(lambda: page.all(".opblock-body"))
    assert [name for name in page.requested() if not name.startswith((live.url, "data:"))] == []


def test_pages_allow_scripts_and_styles_of_their_own_only(live: Live) -> None:
    for path in ("/app/", "/docs"):
        policy = live.http.get(path).headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert "http" not in policy


def test_the_page_s_files_come_as_what_they_are_and_vendored_ones_are_kept(live: Live) -> None:
    kinds = {"app.js": "text/javascript", "style.css": "text/css", "icon.svg": "image/svg+xml"}
    for name, kind in kinds.items():
        reply = live.http.get(f"/app/{name}")
        assert reply.headers["content-type"].startswith(kind)
        assert reply.headers["cache-control"] == "no-cache"
        again = live.http.get(f"/app/{name}", headers={"If-None-Match": reply.headers["etag"]})
        assert again.status_code == 304
    vendored = [path for path in WEB.rglob("vendor/*/*") if path.suffix in (".js", ".css")]
    assert len(vendored) == 4
    for path in vendored:
        reply = live.http.get(f"/app/{path.relative_to(WEB)}")
        assert reply.status_code == 200
        assert "immutable" in reply.headers["cache-control"]


@pytest.mark.parametrize(
    "path",
    [
        "/app/../app.py",
        "/app/%2e%2e/app.py",
        "/app/..%2fapp.py",
        "/app//etc/passwd",
        "/app/vendor",
        "/app/vendor/",
        "/app/none.js",
    ],
)
def test_nothing_else_is_served_and_no_folder_is_listed(live: Live, path: str) -> None:
    with httpx.Client() as plain:
        request = plain.build_request(
            "GET", live.url, headers={"Authorization": live.http.headers["authorization"]}
        )
        request.url = request.url.copy_with(raw_path=path.encode())
        assert plain.send(request).status_code == 404


def test_data_needs_the_token_and_the_page_s_own_files_do_not(live: Live, squares: Squares) -> None:
    with httpx.Client(base_url=live.url) as stranger:
        assert stranger.get("/app/").status_code == 200
        assert stranger.get("/app/app.js").status_code == 200
        for path in ("/docs", "/preview", "/preview.webp"):
            assert stranger.get(path, params={"path": str(squares.path)}).status_code == 401
        assert stranger.post("/scenes/image", content=b"x").status_code == 401


def test_places_of_a_scene_are_those_of_its_affine(live: Live, squares: Squares) -> None:
    (scene,) = live.http.get("/preview", params={"path": str(squares.path)}).json()["scenes"]
    assert (scene["width"], scene["height"], scene["crs"]) == (700, 500, "EPSG:32631")
    places = scene["places"]
    col, row = np.meshgrid(places["columns"], places["rows"])
    x, y = squares.affine @ (col.ravel(), row.ravel())
    np.testing.assert_allclose(places["xy"], np.column_stack([x, y]), atol=1e-6)


def test_the_picture_is_the_scene_made_smaller(live: Live, squares: Squares, tmp_path: Path) -> None:
    reply = live.http.get("/preview.webp", params={"path": str(squares.path), "size": 350})
    (tmp_path / "picture.webp").write_bytes(reply.content)
    picture = np.asarray(Image.open(tmp_path / "picture.webp").convert("L"))
    assert picture.shape == (250, 350)
    for x0, y0, x1, y1 in BOXES:
        assert picture[(y0 + y1) // 4, (x0 + x1) // 4] > 200
    assert picture[10, 150] < 100


def test_a_preview_is_of_one_scene_that_may_be_seen(live: Live, squares: Squares) -> None:
    assert live.http.get("/preview", params={"path": "/etc/passwd"}).status_code == 403
    assert live.http.get("/preview").status_code == 422
    assert live.http.get("/preview", params={"path": str(squares.path), "id": "0" * 32}).status_code == 422
    assert live.http.get("/preview", params={"job": "0" * 32}).status_code == 404
    assert live.http.get("/preview.webp", params={"path": str(squares.path), "scene": 1}).status_code == 404
    assert live.http.get("/preview.webp", params={"path": str(squares.path), "size": 4096}).status_code == 422


def test_verdicts_look_on_the_page_as_in_pictures_and_qgis() -> None:
    script = (WEB / "verdicts.js").read_text()
    found = re.findall(r'"?([a-z-]+)"?: \{ colour: "(#[0-9a-f]{6})", dash: \[([\d., ]*)\] \}', script)
    looks = {word: (colour, tuple(float(d) for d in dash.split(",") if d)) for word, colour, dash in found}
    assert looks == {str(verdict): (line.colour, line.dash) for verdict, line in VERDICTS.items()}


def test_no_text_becomes_html() -> None:
    for script in WEB.glob("*.js"):
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", script.read_text()
        ), script


def test_vendored_files_are_the_ones_that_were_written_down() -> None:
    rows = re.findall(
        r"^\| (\S+) \| .* \| ([0-9a-f]{64}) \|$", (WEB / "vendor" / "README.md").read_text(), re.M
    )
    assert {
        name: hashlib.sha256((WEB / "vendor" / name).read_bytes()).hexdigest() for name, _ in rows
    } == dict(rows)
    assert {name for name, _ in rows} == {
        str(path.relative_to(WEB / "vendor"))
        for path in WEB.rglob("vendor/*/*")
        if path.suffix in (".js", ".css")
    }
