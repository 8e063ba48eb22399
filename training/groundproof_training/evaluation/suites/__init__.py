"""Suites: which benchmarks there are, as data (`*.toml`). `load_suite` reads one."""

from groundproof_training.evaluation.suites.configuration import (
    SUITES,
    EntryConfig,
    SourceConfig,
    SuiteConfig,
    load_suite,
)

__all__ = ["SUITES", "EntryConfig", "SourceConfig", "SuiteConfig", "load_suite"]
