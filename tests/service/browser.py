"""A real headless Chromium for the web page's tests. Knows how to start it and how to wait for the page."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.actions.action_builder import ActionBuilder
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

from tests.service.conftest import TOKEN

CHROMIUM, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

WAIT_S = 60


@contextmanager
def chromium(folder: Path) -> Iterator[webdriver.Chrome]:
    """A browser with a profile of its own, 1280 x 800. Skips where there is none."""
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("chromium is not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*FLAGS, f"--user-data-dir={folder}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    try:
        yield driver
    finally:
        driver.quit()


class Page:
    """The service's page in a browser."""

    def __init__(self, driver: webdriver.Chrome, url: str) -> None:
        self.driver = driver
        self.url = url

    def enter(self) -> None:
        """By the link that the service prints."""
        self.driver.get(f"{self.url}/?token={TOKEN}")
        self.wait(lambda: "ready" in self.text("#engine"))

    def resize(self, width: int, height: int) -> None:
        """Of the window's inside."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)

    def find(self, selector: str) -> WebElement:
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def all(self, selector: str) -> list[WebElement]:
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def text(self, selector: str) -> str:
        return self.find(selector).text

    def run(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def wait(self, condition: Callable[[], Any]) -> Any:
        """Until it is true."""
        replaced = [StaleElementReferenceException]  # between being found and being read
        waiting = WebDriverWait(self.driver, WAIT_S, poll_frequency=0.05, ignored_exceptions=replaced)
        return waiting.until(lambda _: condition())

    def give(self, *files: Path) -> None:
        """Drop files, and wait until the map shows the last one."""
        before = len(self.all("#chosen li:not(.sending)"))
        self.find("#file").send_keys("\n".join(map(str, files)))
        self.wait(lambda: len(self.all("#chosen li:not(.sending)")) == before + len(files))

    def ask(self, question: str) -> None:
        box = self.find("#question")
        box.clear()
        box.send_keys(question)
        self.find("#submit").click()

    def answer(self) -> str:
        """When it has come, and all that follows it."""
        self.wait(lambda: self.all(".downloads"))
        return self.text(".answer-line")

    def job(self) -> str:
        """The id in the page's address."""
        return str(self.wait(lambda: self.run("return location.hash")))[len("#job=") :]

    def drawn(self) -> dict[str, list[list[float]]]:
        """Corners of the boxes on the map, scene pixels, by key."""
        return self.run("return groundproof.drawn()")

    def on_screen(self, column: float, row: float) -> tuple[float, float]:
        """Where a pixel of the scene is on the page, CSS pixels."""
        script = """
        const [x, y] = groundproof.map.getPixelFromCoordinate([arguments[0], -arguments[1]]);
        const {left, top} = groundproof.map.getTargetElement().getBoundingClientRect();
        return [left + x, top + y]"""
        x, y = self.run(script, column, row)
        return x, y

    def point(self, column: float, row: float, *, click: bool = False) -> None:
        """The pointer at a pixel of the scene."""
        x, y = self.on_screen(column, row)
        actions = ActionBuilder(self.driver)
        actions.pointer_action.move_to_location(round(x), round(y))
        if click:
            actions.pointer_action.click()
        actions.perform()

    def keys(self, selector: str) -> list[str | None]:
        """Which evidence these lines are of."""
        return [item.get_attribute("data-key") for item in self.all(selector)]

    def settled(self) -> None:
        """When the map moves no more and shows the scene's picture."""
        script = """
        const done = arguments[0];
        const {map, image} = groundproof;
        const ready = () => !map.getView().getAnimating() && image.getSource()?.getState() === "ready";
        const look = () => {
          if (!ready()) return setTimeout(look, 20);
          map.once("rendercomplete", () => done());
          map.render();
        };
        look();"""
        self.driver.set_script_timeout(WAIT_S)
        self.driver.execute_async_script(script)

    def requested(self) -> list[str]:
        """Addresses of everything the page has loaded."""
        return self.run(
            "return performance.getEntries().filter(e => e.entryType === 'resource' || e.entryType === 'navigation')"
            ".map(e => e.name)"
        )

    def complaints(self) -> list[dict[str, Any]]:
        """What the browser's console holds since the last time: errors, refused requests, policy violations."""
        return [entry for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]
