"""Metrics: pure functions over numbers, boxes and words, shared by rewards and evaluation.

Refuses to know models, completions and files. Every function says what empty truth and empty predictions give.
"""
