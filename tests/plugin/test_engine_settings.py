"""Where an engine is, who chose it, and what may be sent there."""

from __future__ import annotations

import pytest
from qgis.core import QgsSettings

from groundproof_qgis.engine import settings
from groundproof_qgis.engine.address import EngineAddress
from groundproof_qgis.engine.clean_environment import clean_environment, with_proxy
from groundproof_qgis.engine.errors import EngineError
from groundproof_qgis.engine.settings import EngineSettings


@pytest.fixture(autouse=True)
def clean(qgis_app):
    QgsSettings().remove("groundproof")
    yield
    QgsSettings().remove("groundproof")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        (" https://gpu-box.example:8765/ ", "https://gpu-box.example:8765"),
        ("http://127.0.0.1:8765", "http://127.0.0.1:8765"),
        ("https://gis.example/groundproof/", "https://gis.example/groundproof"),
        ("http://[::1]:8765", "http://[::1]:8765"),
    ],
)
def test_an_address_is_kept_without_what_people_type_around_it(typed: str, kept: str) -> None:
    assert EngineAddress(typed).url == kept


@pytest.mark.parametrize(
    "typed",
    [
        *(
            "",
            "  ",
            "gpu-box:8765",
            "ftp://gpu-box",
            "file:///etc/passwd",
            "https://",
            "https://gpu-box:many",
        ),
        *("https://me:secret@gpu-box", "https://gpu-box/?token=x", "https://gpu-box/#x", "https://gpu box/"),
    ],
)
def test_what_is_no_address_of_an_engine_is_a_sentence(typed: str) -> None:
    with pytest.raises(EngineError) as wrong:
        EngineAddress(typed)
    assert wrong.value.kind == "invalid"
    assert "https://gpu-box.example:8765" in str(wrong.value)
    assert "secret" not in str(wrong.value)


@pytest.mark.parametrize(
    ("url", "warned"),
    [
        *(("http://localhost:8765", False), ("http://127.1.2.3", False), ("http://[::1]:1", False)),
        *(("https://gpu-box", False), ("http://gpu-box", True), ("http://192.168.1.7:8765", True)),
        ("http://localhost.evil.example", True),
    ],
)
def test_unencrypted_ways_to_other_computers_are_warned_of(url: str, warned: bool) -> None:
    assert (EngineAddress(url).warning is not None) is warned


def test_settings_are_what_was_saved_and_hold_no_secret() -> None:
    assert settings.load() == EngineSettings()
    chosen = EngineSettings(
        "remote", "https://gpu-box:1", "abc1234", "/opt/groundproof", "x.whl", "/usr/bin/python3"
    )
    settings.save(chosen)
    assert settings.load() == chosen
    assert not [
        key for key in QgsSettings().allKeys() if "groundproof" in key and ("token" in key or "pass" in key)
    ]


def test_a_setting_from_elsewhere_is_not_trusted() -> None:
    QgsSettings().setValue("groundproof/engine/who", "the moon")
    QgsSettings().setValue("groundproof/consents", "not JSON")
    assert settings.load().who == "local"
    assert not settings.has_consent(EngineAddress("https://gpu-box"))


def test_consent_is_for_one_engine_and_can_be_withdrawn() -> None:
    one, other = EngineAddress("https://gpu-box:1/"), EngineAddress("https://gpu-box:2")
    assert settings.has_consent(EngineAddress("http://127.0.0.1:8765"))
    settings.give_consent(one)
    assert settings.has_consent(EngineAddress("https://gpu-box:1"))
    assert not settings.has_consent(other)
    settings.withdraw_consent(one)
    assert not settings.has_consent(one)


def test_nothing_is_installed_unless_somebody_chose_it() -> None:
    assert settings.load().source == ""


def test_the_engine_does_not_inherit_what_qgis_set_for_itself() -> None:
    inherited = {
        "PATH": "/bin",
        "HOME": "/home/me",
        "LC_ALL": "de_DE.UTF-8",
        "PIP_INDEX_URL": "https://pypi.example",
        "Path": "C:\\",
        "https_proxy": "http://p",
        "XDG_DATA_HOME": "/data",
        "PYTHONHOME": "/qgis",
        "PYTHONPATH": "/qgis",
        "GDAL_DATA": "/q",
        "PROJ_LIB": "/q",
        "PROJ_DATA": "/q",
        "QT_PLUGIN_PATH": "/q",
        "QGIS_PREFIX_PATH": "/q",
        "LD_LIBRARY_PATH": "/q",
        "DYLD_LIBRARY_PATH": "/q",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "GROUNDPROOF_TOKEN": "old",
        "VIRTUAL_ENV": "/v",
    }
    kept = clean_environment(inherited)
    assert {name for name in kept if name in inherited} == {
        *("PATH", "HOME", "LC_ALL", "PIP_INDEX_URL", "Path", "https_proxy", "XDG_DATA_HOME"),
    }


def test_a_proxy_with_a_password_is_handed_on_in_the_words_of_pip() -> None:
    made = with_proxy(
        {"PATH": "/bin", "http_proxy": "http://old"}, "proxy.example", 3128, "me@office", "a:b/c"
    )
    assert made == {
        "PATH": "/bin",
        "HTTP_PROXY": "http://me%40office:a%3Ab%2Fc@proxy.example:3128",
        "HTTPS_PROXY": "http://me%40office:a%3Ab%2Fc@proxy.example:3128",
    }
    assert with_proxy({}, "p", 1, None, None)["HTTP_PROXY"] == "http://p:1"
