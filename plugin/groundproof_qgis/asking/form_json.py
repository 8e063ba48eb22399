"""A form as a run's record keeps it, so that the same can be asked again.

Knows the form's fields and their JSON. Refuses to know where records lie.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from groundproof_qgis.asking.form import AskForm, Where
from groundproof_qgis.asking.request import FollowUp
from groundproof_qgis.imagery import what


def form_to_json(form: AskForm) -> dict[str, Any]:
    """JSON values."""
    follow_up = form.follow_up
    return {
        "question": form.question,
        "task": form.task,
        "pixels": [what.to_json(choice) for choice in form.pixels],
        "classes": list(form.classes),
        "where": {"kind": form.where.kind, "layer_id": form.where.layer_id},
        "per_polygon": form.per_polygon,
        "second_look": form.second_look,
        "follow_up": None if follow_up is None else follow_up.as_json(),
    }


def form_from_json(document: Mapping[str, Any]) -> AskForm:
    """The form that `form_to_json` wrote. Raises ValueError for anything else."""
    try:
        follow_up = document["follow_up"]
        return AskForm(
            question=str(document["question"]),
            pixels=tuple(what.from_json(one) for one in document["pixels"]),
            task=str(document["task"]),
            classes=tuple(document["classes"]),
            where=Where(**document["where"]),
            per_polygon=bool(document["per_polygon"]),
            second_look=bool(document["second_look"]),
            follow_up=None
            if follow_up is None
            else FollowUp(follow_up["job"], follow_up["answer_id"], tuple(follow_up["evidence"])),
        )
    except (KeyError, TypeError, AttributeError) as err:
        raise ValueError(f"the record's form cannot be read: {err!r}") from err
