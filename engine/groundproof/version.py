"""The one place that holds the version; `pyproject.toml` reads it, `metadata.txt` is tested against it."""

__version__ = "0.1.0"
