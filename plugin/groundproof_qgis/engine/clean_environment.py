"""The environment of programs that are not QGIS's: Python, pip, the engine.

QGIS sets PYTHONHOME, GDAL_DATA, PROJ_LIB, QT_PLUGIN_PATH and library paths for itself; another Python that inherits
them breaks. So only what is listed here is handed on.
"""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

NAMES = frozenset(
    {
        # who and where
        *("HOME", "USER", "LOGNAME", "USERNAME", "USERPROFILE", "HOMEDRIVE", "HOMEPATH", "SHELL", "TZ"),
        *("PATH", "LANG", "LANGUAGE", "TMPDIR", "TEMP", "TMP"),
        # Windows
        *(
            "SYSTEMROOT",
            "SYSTEMDRIVE",
            "WINDIR",
            "COMSPEC",
            "PATHEXT",
            "APPDATA",
            "LOCALAPPDATA",
            "PROGRAMDATA",
        ),
        *("PROGRAMFILES", "PROGRAMFILES(X86)", "NUMBER_OF_PROCESSORS", "PROCESSOR_ARCHITECTURE"),
        # the way out
        *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
        *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
        # models and graphics cards
        *("HF_HOME", "HF_HUB_OFFLINE", "CUDA_VISIBLE_DEVICES", "CUDA_HOME", "OMP_NUM_THREADS"),
    }
)
PREFIXES = ("LC_", "XDG_", "PIP_", "NVIDIA_", "ROCR_", "HIP_")
"""Of names that are handed on as well; pip's say which index and certificates an organisation wants."""

OWN = {"PYTHONUTF8": "1", "PYTHONUNBUFFERED": "1", "PYTHONNOUSERSITE": "1", "COLUMNS": "1000"}
"""Told to every program: text is UTF-8, at once, in whole lines; packages of the user's other Pythons stay out."""


def clean_environment(inherited: Mapping[str, str]) -> dict[str, str]:
    """What of QGIS's environment another program may see. Names are compared without case, as Windows does."""
    kept = {
        name: value
        for name, value in inherited.items()
        if name.upper() in NAMES or name.upper().startswith(PREFIXES)
    }
    return {**kept, **OWN}


def with_proxy(
    environment: Mapping[str, str], host: str, port: int, user: str | None, password: str | None
) -> dict[str, str]:
    """The environment with QGIS's HTTP proxy, in the words that pip understands. user: None without one.

    In the environment only the same person's programs can read it, on the command line everybody's.
    """
    who = "" if not user else f"{quote(user, safe='')}:{quote(password or '', safe='')}@"
    url = f"http://{who}{host}:{port}"
    others = {
        name: value
        for name, value in environment.items()
        if name.upper() not in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    }
    return {**others, "HTTP_PROXY": url, "HTTPS_PROXY": url}
