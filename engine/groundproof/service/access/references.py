"""Rasters named by path or URL: only below what the operator listed, and only files that are what they seem.

Knows paths, addresses, and the first bytes of files. Refuses to know pixels.

The result is opened later and by itself (`scene.open_scene`), and GDAL 3.10 has no option against redirects and none to
keep to an address. What remains, and what is done about it: a file below a root could be replaced by somebody who may
write there (the roots are trusted that far); a name could resolve to another address, or a server that the operator
listed could redirect GDAL where it did not redirect us. So everything is checked twice, when a question is asked and
right before its job opens the scene; listing addresses in place of names closes the first gap, a firewall around the
service both.
"""

from __future__ import annotations

import ipaddress
import os
import re
import socket
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

import rasterio
from rasterio.errors import RasterioError

from groundproof.errors import ForbiddenError, NotFoundError, SceneError, UsageError
from groundproof.service.access.first_bytes import first_bytes
from groundproof.service.settings import ServiceSettings

HEAD_BYTES = 32
MAX_CHARACTERS = 4096
URL = re.compile(r"https?://[A-Za-z0-9\-._~:/?\[\]!$&'()*+,;=%]+")
DEFAULT_PORTS = {"http": 80, "https": 443}
NAT64 = ipaddress.ip_network("64:ff9b::/96")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def allowed_path(text: str, settings: ServiceSettings) -> str:
    """The real path of a raster below one of `settings.roots`; symbolic links are followed first.

    text: absolute, or relative to one of the roots.

    Raises:
        ForbiddenError: outside the roots, or a file that can point outside.
        NotFoundError: nothing there.
        SceneError: no GeoTIFF, PNG, JPEG, WebP or JPEG 2000.
    """
    if not settings.roots:
        raise ForbiddenError(
            "This service takes no paths: its operator allows no folder. Send the scene (POST /scenes)."
        )
    if "\0" in text or not 0 < len(text) <= MAX_CHARACTERS:
        raise UsageError("A path must have between 1 and 4096 characters, none of them NUL.")
    roots = [os.path.realpath(root) for root in settings.roots]
    inside = [path for root in roots if _below(path := os.path.realpath(Path(root) / text), roots)]
    if not inside:
        raise ForbiddenError(
            f"{text[:200]} is not below a folder this service may read. Its operator lists them; other imagery can be "
            "sent (POST /scenes)."
        )
    files = [path for path in inside if Path(path).is_file()]
    if not files:
        raise NotFoundError(f"There is no file {text[:200]} below the folders this service may read.")
    path = files[0]
    try:
        with Path(path).open("rb") as file:
            driver = driver_of(file.read(HEAD_BYTES), text)
    except OSError as err:
        raise SceneError(f"{text[:200]} cannot be read: {err.strerror}.") from err
    _check_alone(path, driver, roots)
    return path


def allowed_url(text: str, settings: ServiceSettings) -> str:
    """The URL of a raster below one of `settings.url_prefixes`, whose host has a public address now.

    A prefix that names its host by address, or as localhost, allows that address, public or not.

    Raises:
        ForbiddenError: outside the prefixes, at a private address, or redirected.
        NotFoundError, SceneError: nothing there; no GeoTIFF, PNG, JPEG, WebP or JPEG 2000.
    """
    if not settings.url_prefixes:
        raise ForbiddenError(
            "This service takes no URLs: its operator allows none. Send the scene (POST /scenes)."
        )
    if len(text) > MAX_CHARACTERS or not URL.fullmatch(text):
        raise UsageError("That is not an http or https URL of plain characters. Encode others as %XX.")
    parts = _split(text)
    prefix = next((p for p in map(_split, settings.url_prefixes) if _starts(parts, p)), None)
    if prefix is None or _climbs(parts.path):
        raise ForbiddenError(
            f"{_named(parts)} is not below an address this service may read. Its operator lists them; other imagery "
            "can be sent (POST /scenes)."
        )
    addresses = addresses_of(str(parts.hostname), _port(parts), private=named_by_address(prefix))
    driver_of(first_bytes(parts, addresses, HEAD_BYTES), _named(parts))
    return text


def driver_of(head: bytes, name: str) -> str:
    """The GDAL driver that will open a file with these first bytes. Raises SceneError when it is none allowed.

    A zero byte must come early, as it does in every file of these formats: GDAL looks for the words of its text
    formats (VRT and others, which name further files) up to the first zero byte, and before it tries JPEG.
    """
    found = None
    if head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        found = "GTiff"
    elif head[:8] == b"\x89PNG\r\n\x1a\n":
        found = "PNG"
    elif head[:3] == b"\xff\xd8\xff":
        found = "JPEG"
    elif head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        found = "WEBP"
    elif head[:12] == b"\0\0\0\x0cjP  \r\n\x87\n" or head[:4] == b"\xff\x4f\xff\x51":
        found = "JP2OpenJPEG"
    if found is None or b"\0" not in head[:20]:
        raise SceneError(
            f"{name[:200]} is no GeoTIFF, PNG, JPEG, WebP or JPEG 2000 file. Only these are opened by path or URL; "
            "convert it with gdal_translate."
        )
    return found


def addresses_of(host: str, port: int, *, private: bool) -> list[Address]:
    """Where a host is now. Raises ForbiddenError when one of its addresses is not public and `private` is false."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as err:
        raise SceneError(f"The host {host[:100]} cannot be found.") from err
    addresses = list(
        dict.fromkeys(ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found)
    )
    if not private and not all(map(is_public, addresses)):
        raise ForbiddenError(
            f"The host {host[:100]} is at an address that is not public. The operator can allow it by listing a prefix "
            "with the address itself."
        )
    return addresses


def is_public(address: Address) -> bool:
    """Whether an address, and the IPv4 address it may carry inside, belongs to the open internet."""
    if isinstance(address, ipaddress.IPv6Address):
        carried = address.ipv4_mapped or address.sixtofour or (address.teredo or (None, None))[1]
        if carried is None and address in NAT64:
            carried = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if carried is not None and not is_public(carried):
            return False
    return address.is_global and not address.is_multicast


def named_by_address(prefix: SplitResult) -> bool:
    """Whether the operator wrote the very address, so that it is meant whatever it is."""
    host = str(prefix.hostname)
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return True


def _check_alone(path: str, driver: str, roots: list[str]) -> None:
    """Raise ForbiddenError when a file, or what lies beside it, leads GDAL to a file elsewhere."""
    try:
        with rasterio.open(path, driver=driver) as dataset:
            leads_away = bool(dataset.tags(ns="OVERVIEWS").get("OVERVIEW_FILE"))
            files = dataset.files
        for beside in (f"{path}.ovr", f"{path}.msk"):
            if Path(beside).is_file():
                files.append(beside)
                with Path(beside).open("rb") as file:
                    leads_away |= file.read(4) not in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
        if leads_away or not all(_below(os.path.realpath(file), roots) for file in files):
            raise ForbiddenError(
                f"{Path(path).name} names another file, which is not followed. Send it without (gdal_translate)."
            )
        with rasterio.open(path) as dataset:  # as the engine will open it: with every driver
            if dataset.driver != driver:
                raise ForbiddenError(
                    f"{Path(path).name} would be read as {dataset.driver}, which is not opened here."
                )
    except (RasterioError, OSError) as err:
        raise SceneError(f"{Path(path).name} cannot be opened: {err}.") from err


def _below(path: str, roots: list[str]) -> bool:
    return any(os.path.commonpath([path, root]) == root and path != root for root in roots)


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError as err:
        raise UsageError("That is not an http or https URL.") from err
    if not parts.hostname:
        raise UsageError("That URL has no host.")
    return parts


def _starts(parts: SplitResult, prefix: SplitResult) -> bool:
    same = (parts.scheme, parts.hostname, _port(parts)) == (prefix.scheme, prefix.hostname, _port(prefix))
    return same and parts.path.startswith(prefix.path.rstrip("/") + "/")


def _port(parts: SplitResult) -> int:
    return parts.port or DEFAULT_PORTS[parts.scheme]


def _climbs(path: str) -> bool:
    """Whether a path has "." or ".." in it, also encoded, also twice: curl and servers resolve those."""
    plain = unquote(unquote(path)).replace("\\", "/")
    return any(part in (".", "..") for part in plain.split("/"))


def _named(parts: SplitResult) -> str:
    """For sentences: without a query, which may hold a signature."""
    return f"{parts.scheme}://{parts.hostname}{parts.path}"[:200]
