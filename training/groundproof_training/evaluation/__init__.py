"""Evaluation: what models and files of predictions are worth, in figures that can be trusted and in published ones."""
