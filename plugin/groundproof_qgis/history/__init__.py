"""Runs of a project, kept beside it."""
