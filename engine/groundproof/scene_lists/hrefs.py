"""What an href of a STAC document leads to.

Knows what a document may name: one from a local disk anything, one from the network only the network,
or it could make this machine read its own files. Refuses to know Items. Messages continue a sentence
whose subject is the asset.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit
from urllib.request import url2pathname

from groundproof.datasets import without_secrets
from groundproof.errors import UsageError
from groundproof.scene_lists.listing import flaw_of

REMOTE_SCHEMES = ("http", "https", "s3", "gs", "az", "oss")


def is_http(href: str) -> bool:
    """Whether an href is an absolute http or https URL with a host."""
    try:
        parts = urlsplit(href)
        return parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        return False


def remote_href(href: str, start: str) -> str:
    """An href of a document from the network, absolute. start: http(s) URL it is relative to.

    Raises:
        UsageError: it names something on this machine, or is no URL.
    """
    url = _joined(href, start)
    scheme, colon, rest = url.partition("://")
    if not colon or scheme.lower() not in REMOTE_SCHEMES or not rest.partition("/")[0]:
        raise UsageError(
            f"names {_shown(href)}, but a document from the network may name only URLs "
            f"({', '.join(f'{s}://' for s in REMOTE_SCHEMES)}). Save the document and check it first."
        )
    return url


def local_href(href: str, start: str, document: str) -> str:
    """An href of a document on a local disk, absolute.

    start: path or URL that the href is relative to. document: the document's own absolute path, taken in
    place of a relative `start`.

    Raises:
        UsageError: it is neither a path nor a URL.
    """
    if href.startswith("/vsi"):
        return href
    if is_http(start) or ("://" in start and not start.lower().startswith("file://")):
        url = _joined(href, start)
    elif "://" in href:
        url = _joined(href, "")
    else:
        if flaw := flaw_of(href):
            raise UsageError(f"has an href that {flaw}. Correct the document.")
        here = Path(_file(start) if start.lower().startswith("file://") else start)
        folder = (Path(document).parent / here).parent
        return _existing(str(Path(os.path.normpath(folder / href))))
    return _file(url) if url.lower().startswith("file://") else url


def _joined(href: str, start: str) -> str:
    """RFC 3986 for any scheme; urllib's own function joins none that it has not heard of, such as s3."""
    if flaw := flaw_of(href):
        raise UsageError(f"has an href that {flaw}. Correct the document.")
    try:
        if urlsplit(href).scheme or is_http(start) or not start:
            return urljoin(start, href)
        scheme, _, rest = start.partition("://")
        return scheme + urljoin(f"http://{rest}", href).removeprefix("http")
    except ValueError as err:
        raise UsageError(f"has the href {_shown(href)}, which is no URL. Correct the document.") from err


def _file(url: str) -> str:
    return url2pathname(urlsplit(url).path)


def _existing(path: str) -> str:
    """Hrefs are percent-encoded by the rules and often not in practice: as written when such a file is there."""
    plain = unquote(path)
    return plain if not os.path.exists(path) and os.path.exists(plain) else path  # noqa: PTH110 - no errors


def _shown(href: str) -> str:
    try:
        return without_secrets(href)[:200]
    except ValueError:
        return href.partition("?")[0][:200]
