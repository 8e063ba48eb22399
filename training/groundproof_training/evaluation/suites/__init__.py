"""Suites of benchmarks: what is asked, on which data, in which words, and what was published."""
