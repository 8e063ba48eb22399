"""The engine's tasks in plain words.

Knows names of tasks. Refuses to know what they do.
"""

from __future__ import annotations

from groundproof_qgis.i18n_text import tr


def task_words() -> dict[str, tuple[str, str]]:
    """(name, what it gives) of each task, in the order of a list."""
    return {
        "auto": (
            tr("As the question says"),
            tr("The engine infers the task from the words of the question."),
        ),
        "count": (tr("Count objects"), tr("A number, and a box around every object that was counted.")),
        "detect": (tr("Find all objects of a class"), tr("A box around every object of the classes named.")),
        "ground": (
            tr("Find what a phrase describes"),
            tr("Boxes around what is described, such as: the white tank beside the pier."),
        ),
        "classify": (
            tr("Name the kind of area"),
            tr("One or several classes, with the share of the area of each."),
        ),
        "vqa": (tr("Answer a question"), tr("Words, with boxes as evidence where there are any.")),
        "caption": (tr("Describe the picture"), tr("Some sentences about the whole area.")),
        "grounded-caption": (
            tr("Describe it, with boxes"),
            tr("Some sentences, each object they name in a box."),
        ),
        "region-caption": (tr("Describe a part"), tr("Some sentences about the box that was asked about.")),
        "change": (tr("Compare two dates"), tr("What appeared, disappeared or changed between two images.")),
    }
