"""Readers: public datasets as they lie on disk, as samples.

Each module registers its readers here by name; `reader(name)` finds one.
"""
