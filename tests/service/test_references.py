"""Paths and URLs: only what lies below what the operator listed, whatever it is called."""

from __future__ import annotations

import http.server
import ipaddress
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import rasterio
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from groundproof.errors import ForbiddenError, GroundproofError, NotFoundError, SceneError, UsageError
from groundproof.scene import open_scene
from groundproof.service.access.references import allowed_path, allowed_url, driver_of, is_public
from groundproof.service.settings import ServiceSettings

from .conftest import make_settings
from .image_files import noise, samples, smooth, write


@pytest.fixture
def roots(tmp_path: Path) -> ServiceSettings:
    """Allows tmp_path/imagery, which holds a.tif; tmp_path/secret.tif lies beside it."""
    (tmp_path / "imagery" / "2026").mkdir(parents=True)
    write(tmp_path / "imagery" / "2026" / "a.tif", noise(3, 20, 30), "GTiff", placed=True)
    write(tmp_path / "secret.tif", noise(3, 20, 30), "GTiff", placed=True)
    (tmp_path / "imagery-of-others").mkdir()
    write(tmp_path / "imagery-of-others" / "a.tif", noise(3, 20, 30), "GTiff", placed=True)
    return make_settings(tmp_path)


def test_files_below_a_root_are_opened_where_they_really_lie(tmp_path: Path, roots: ServiceSettings) -> None:
    real = str(tmp_path / "imagery" / "2026" / "a.tif")
    (tmp_path / "imagery" / "latest.tif").symlink_to(real)
    for text in (real, "2026/a.tif", "2026/../2026/a.tif", str(tmp_path / "imagery" / "latest.tif")):
        assert allowed_path(text, roots) == real


@pytest.mark.parametrize("text", [
    "../secret.tif", "{folder}/secret.tif", "{folder}/imagery/../secret.tif", "{folder}/imagery-of-others/a.tif",
    "link.tif", "folder/secret.tif", "{folder}/imagery", "/etc/passwd", "{folder}/nothing.tif", "..",
    "/vsicurl/http://127.0.0.1/a.tif", "/vsizip/{folder}/imagery/x.zip/a.tif", "/vsimem/a.tif", "/vsistdin/",
])  # fmt: skip
def test_nothing_outside_a_root_is_opened_or_told_apart_from_what_is_not_there(
    tmp_path: Path, roots: ServiceSettings, text: str
) -> None:
    (tmp_path / "imagery" / "link.tif").symlink_to(tmp_path / "secret.tif")
    (tmp_path / "imagery" / "folder").symlink_to(tmp_path)
    with pytest.raises(ForbiddenError, match="is not below a folder this service may read"):
        allowed_path(text.format(folder=tmp_path), roots)


@pytest.mark.parametrize("text", [
    "2026", "missing.tif", "vsicurl/http://127.0.0.1/a.tif", "http://127.0.0.1/a.tif", "GTIFF_DIR:1:2026/a.tif",
    "zip://2026/a.tif", "NETCDF:2026/a.tif:x", "WMS:http://127.0.0.1/", "<VRTDataset/>", "2026/a.tif\n",
])  # fmt: skip
def test_names_that_gdal_would_understand_otherwise_are_only_names(roots: ServiceSettings, text: str) -> None:
    with pytest.raises(NotFoundError):
        allowed_path(text, roots)


@given(st.text(min_size=1, max_size=60))
@examples(max_examples=100)
def test_any_text_is_a_file_below_a_root_or_refused(text: str) -> None:
    settings = ServiceSettings.model_validate(
        {"data_dir": "data", "token": "t", "roots": ["/usr/share/nothing-here"]}
    )
    with pytest.raises(GroundproofError):
        allowed_path(text, settings)


@pytest.mark.parametrize("text", ["", "a\0b", "x" * 5000])
def test_what_cannot_be_a_path_is_refused(roots: ServiceSettings, text: str) -> None:
    with pytest.raises(UsageError):
        allowed_path(text, roots)


def test_without_roots_no_path_is_taken(tmp_path: Path) -> None:
    with pytest.raises(ForbiddenError, match="its operator allows no folder"):
        allowed_path("/etc/passwd", make_settings(tmp_path, roots=()))


def test_every_raster_format_that_points_nowhere_is_taken(tmp_path: Path) -> None:
    (tmp_path / "imagery").mkdir()
    settings = make_settings(tmp_path)
    for path in samples(tmp_path / "imagery").values():
        assert allowed_path(str(path), settings) == str(path)
    jp2 = write(tmp_path / "imagery" / "a.jp2", noise(3, 64, 64), "JP2OpenJPEG")
    assert allowed_path(str(jp2), settings) == str(jp2)


def vrt_of(path: Path) -> bytes:
    return (
        '<VRTDataset rasterXSize="16" rasterYSize="16"><VRTRasterBand dataType="Byte" band="1"><SimpleSource>'
        f"<SourceFilename>{path}</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>"
    ).encode()


def test_formats_that_name_other_files_are_refused_under_any_name(
    tmp_path: Path, roots: ServiceSettings
) -> None:
    for name in ("a.vrt", "b.tif", "b.jpg", "b.jp2"):
        path = tmp_path / "imagery" / name
        path.write_bytes(vrt_of(tmp_path / "secret.tif"))
        with pytest.raises(SceneError, match="no GeoTIFF, PNG, JPEG, WebP or JPEG 2000"):
            allowed_path(str(path), roots)


def test_a_jpeg_that_gdal_takes_for_a_vrt_is_refused(tmp_path: Path, roots: ServiceSettings) -> None:
    whole = write(tmp_path / "plain.jpg", smooth(3, 16, 16), "JPEG").read_bytes()
    vrt = vrt_of(tmp_path / "secret.tif")
    vrt += b" " * (0x0101 * 4 - 2 - len(vrt))
    path = tmp_path / "imagery" / "both.jpg"
    path.write_bytes(whole[:2] + b"\xff\xfe" + (len(vrt) + 2).to_bytes(2, "big") + vrt + whole[2:])
    with rasterio.open(path) as tempted:
        assert tempted.driver == "VRT", "the trap works where nobody looks out"
    with pytest.raises(SceneError, match="is no GeoTIFF"):
        allowed_path(str(path), roots)


def test_a_tiff_whose_metadata_names_another_file_is_refused(tmp_path: Path, roots: ServiceSettings) -> None:
    path = tmp_path / "imagery" / "2026" / "a.tif"
    with rasterio.open(path, "r+") as file:
        file.update_tags(ns="OVERVIEWS", OVERVIEW_FILE=str(tmp_path / "secret.tif"))
    with pytest.raises(ForbiddenError, match="names another file"):
        allowed_path(str(path), roots)


def test_sidecars_that_lead_away_are_refused(tmp_path: Path, roots: ServiceSettings) -> None:
    path = tmp_path / "imagery" / "2026" / "a.tif"
    sidecar = path.with_name("a.tif.ovr")
    sidecar.write_bytes(vrt_of(tmp_path / "secret.tif"))
    with pytest.raises(ForbiddenError):
        allowed_path(str(path), roots)
    sidecar.unlink()
    sidecar.symlink_to(tmp_path / "secret.tif")
    with pytest.raises(ForbiddenError):
        allowed_path(str(path), roots)
    sidecar.unlink()
    path.with_name("a.tif.aux.xml").write_text(
        '<PAMDataset><Metadata domain="OVERVIEWS"><MDI key="OVERVIEW_FILE">/etc/x.tif</MDI></Metadata></PAMDataset>'
    )
    with pytest.raises(ForbiddenError):
        allowed_path(str(path), roots)


def test_overviews_and_world_files_beside_a_raster_are_fine(tmp_path: Path, roots: ServiceSettings) -> None:
    path = tmp_path / "imagery" / "2026" / "a.tif"
    with rasterio.Env(TIFF_USE_OVR=True), rasterio.open(path, "r+") as file:
        file.build_overviews([2])
    assert path.with_name("a.tif.ovr").exists()
    assert allowed_path(str(path), roots) == str(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything; needs root not to run the tests")
def test_a_file_that_may_not_be_read_says_so(tmp_path: Path, roots: ServiceSettings) -> None:
    path = tmp_path / "imagery" / "2026" / "a.tif"
    path.chmod(0)
    with pytest.raises(SceneError, match="cannot be read"):
        allowed_path(str(path), roots)


# URLs


class Handler(http.server.BaseHTTPRequestHandler):
    """Serves files below /data/, with ranges; redirects below /data/away/."""

    def do_GET(self) -> None:
        files: dict[str, bytes] = self.server.files  # type: ignore[attr-defined]
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        if self.path.startswith("/data/away/"):
            self.send_response(302)
            self.send_header("Location", "http://169.254.169.254/latest/meta-data/")
            self.end_headers()
            return
        content = files.get(self.path.partition("?")[0])
        if content is None:
            self.send_error(404)
            return
        start, _, end = self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")
        part = content[int(start) : int(end) + 1 if end else None]
        self.send_response(206 if "Range" in self.headers else 200)
        self.send_header("Content-Length", str(len(part)))
        self.send_header("Content-Range", f"bytes {start}-{int(start) + len(part) - 1}/{len(content)}")
        self.end_headers()
        self.wfile.write(part)

    def do_HEAD(self) -> None:
        content = self.server.files.get(self.path.partition("?")[0])  # type: ignore[attr-defined]
        self.send_response(404 if content is None else 200)
        self.send_header("Content-Length", str(len(content or b"")))
        self.send_header("Accept-Ranges", "bytes")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def web(tmp_path: Path) -> Iterator[http.server.ThreadingHTTPServer]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    tiff = write(tmp_path / "a.tif", noise(3, 20, 30), "GTiff", placed=True).read_bytes()
    server.files = {"/data/a.tif": tiff, "/data/b.tif": vrt_of(tmp_path), "/other/a.tif": tiff}  # type: ignore[attr-defined]
    server.asked = []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def allowing(
    folder: Path, server: http.server.HTTPServer, host: str = "127.0.0.1", **changes: Any
) -> ServiceSettings:
    return make_settings(folder, url_prefixes=(f"http://{host}:{server.server_port}/data/",), **changes)


def test_a_url_below_a_prefix_is_what_the_engine_opens(tmp_path: Path, web: http.server.HTTPServer) -> None:
    settings = allowing(tmp_path, web)
    for url in (
        f"http://127.0.0.1:{web.server_port}/data/a.tif",
        f"http://127.0.0.1:{web.server_port}/data/a.tif?sig=x",
    ):
        assert allowed_url(url, settings) == url
        with open_scene(url) as scene:
            assert (scene.width, scene.height) == (30, 20)


@pytest.mark.parametrize(("url", "error"), [
    ("http://127.0.0.1:{port}/other/a.tif", ForbiddenError),
    ("http://127.0.0.1:{port}/data", ForbiddenError),
    ("http://127.0.0.1:{port}/data/../other/a.tif", ForbiddenError),
    ("http://127.0.0.1:{port}/data/%2e%2e/other/a.tif", ForbiddenError),
    ("http://127.0.0.1:{port}/data/..%2fother/a.tif", ForbiddenError),
    ("http://127.0.0.1:{port}/data/%252e%252e/other/a.tif", ForbiddenError),
    ("http://127.0.0.1:{port}/data/x/..%5c..%5cother/a.tif", ForbiddenError),
    ("http://127.0.0.1:1/data/a.tif", ForbiddenError),
    ("https://127.0.0.1:{port}/data/a.tif", ForbiddenError),
    ("http://127.0.0.2:{port}/data/a.tif", ForbiddenError),
    ("http://localhost:{port}/data/a.tif", ForbiddenError),
    ("http://127.0.0.1:{port}/data/away/a.tif", ForbiddenError),
    ("http://127.0.0.1:{port}/data/missing.tif", NotFoundError),
    ("http://127.0.0.1:{port}/data/b.tif", SceneError),
    ("http://user:pass@127.0.0.1:{port}/data/a.tif", UsageError),
    ("http://127.0.0.1:{port}@evil.example/data/a.tif", UsageError),
    ("http://127.0.0.1:{port}\\@evil.example/data/a.tif", UsageError),
    ("http://127.0.0.1:{port}/data/a.tif#x", UsageError),
    ("http://127.0.0.1:{port}/data/a tif", UsageError),
    ("http://127.0.0.1:{port}/data/a.tif\r\nX: y", UsageError),
    ("http://127.0.0.1:99999/data/a.tif", UsageError),
    ("http:///data/a.tif", UsageError),
    ("http://[::1/data/a.tif", UsageError),
    ("ftp://127.0.0.1:{port}/data/a.tif", UsageError),
    ("file:///etc/passwd", UsageError),
    ("/vsicurl/http://127.0.0.1:{port}/data/a.tif", UsageError),
    ("s3://bucket/a.tif", UsageError),
    ("zip+http://127.0.0.1:{port}/data/a.tif", UsageError),
    ("", UsageError),
])  # fmt: skip
def test_any_other_url_is_refused_and_never_followed(
    tmp_path: Path, web: http.server.HTTPServer, url: str, error: type[GroundproofError]
) -> None:
    with pytest.raises(error):
        allowed_url(url.format(port=web.server_port), allowing(tmp_path, web))
    asked: list[str] = web.asked  # type: ignore[attr-defined]
    assert all(path.startswith("/data/") and ".." not in path for path in asked)


def test_a_name_that_leads_to_a_private_address_is_refused(
    tmp_path: Path, web: http.server.HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = socket.getaddrinfo

    def resolve(host: str, *args: Any, **options: Any) -> Any:
        return real("127.0.0.1" if host == "imagery.example" else host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    settings = allowing(tmp_path, web, "imagery.example")
    with pytest.raises(ForbiddenError, match=r"imagery\.example is at an address that is not public"):
        allowed_url(f"http://imagery.example:{web.server_port}/data/a.tif", settings)
    assert web.asked == []  # type: ignore[attr-defined]


def test_localhost_is_allowed_where_the_operator_wrote_it(
    tmp_path: Path, web: http.server.HTTPServer
) -> None:
    url = f"http://localhost:{web.server_port}/data/a.tif"
    assert allowed_url(url, allowing(tmp_path, web, "localhost")) == url


def test_without_prefixes_no_url_is_taken(tmp_path: Path) -> None:
    with pytest.raises(ForbiddenError, match="its operator allows none"):
        allowed_url("http://127.0.0.1/a.tif", make_settings(tmp_path))


@pytest.mark.parametrize(("address", "public"), [
    ("8.8.8.8", True), ("2606:4700::1111", True), ("127.0.0.1", False), ("10.1.2.3", False), ("192.168.1.1", False),
    ("172.16.0.1", False), ("169.254.169.254", False), ("100.64.0.1", False), ("0.0.0.0", False),  # noqa: S104
    ("224.0.0.1", False), ("255.255.255.255", False), ("::1", False), ("::", False), ("fe80::1", False),
    ("fd00::1", False), ("ff02::1", False), ("::ffff:10.0.0.1", False), ("::ffff:127.0.0.1", False),
    ("2002:7f00:1::", False), ("64:ff9b::a00:1", False), ("64:ff9b::808:808", True), ("2001:db8::1", False),
])  # fmt: skip
def test_only_addresses_of_the_open_internet_are_public(address: str, public: bool) -> None:
    assert is_public(ipaddress.ip_address(address)) == public


@given(st.binary(max_size=40))
@examples(max_examples=100)
def test_any_first_bytes_are_an_allowed_format_or_refused(head: bytes) -> None:
    for start in (b"", b"\xff\xd8\xff", b"RIFF", b"II*\0"):
        try:
            assert driver_of(start + head, "it") in {"GTiff", "PNG", "JPEG", "WEBP", "JP2OpenJPEG"}
        except SceneError:
            continue
