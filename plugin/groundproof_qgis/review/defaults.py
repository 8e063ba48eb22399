"""What a new box is given while it is drawn, with QGIS's own default values.

Knows expressions and columns. Refuses to know who draws. Defaults are part of the feature when it is added, so that one
undo takes all of it back; they work in any form and without this plugin.
"""

from __future__ import annotations

from qgis.core import QgsDefaultValue, QgsExpression, QgsVectorLayer

from groundproof_qgis.answer.answer import Answer
from groundproof_qgis.i18n_text import tr


def added_quote() -> str:
    """The sentence of a box that a person drew."""
    return tr("added by the analyst")


def default_label(answer: Answer, answer_id: str, asked: tuple[str, ...]) -> str:
    """What a new box is called unless the analyst says otherwise: what was asked for, else what was found most."""
    if asked:
        return asked[0]
    part = answer.parts.get(answer_id)
    labels = [one.label for one in part.evidence if one.counted and one.label] if part is not None else []
    return max(sorted(set(labels)), key=labels.count) if labels else ""


def set_defaults(layer: QgsVectorLayer, answer: Answer, asked: dict[str, tuple[str, ...]]) -> None:
    """Give new boxes of an evidence layer their cells. asked: labels by question.

    With several answers the number and the answer are not known before the box lies somewhere: they stay empty here.
    """
    values = {
        "role": "evidence",
        "review": "added",
        "verdict": "supported",
        "quote": added_quote(),
        "image": 0,
    }
    if len(answer.parts) == 1:
        part = next(iter(answer.parts.values()))
        values.update(
            answer_id=part.answer_id,
            scene=part.scene,
            label=default_label(answer, part.answer_id, asked.get(part.question, ())),
        )
        run_id = str(answer.metadata.get("run_id") or "")
        if run_id:
            values["run_id"] = run_id
    fields = layer.fields()
    for name, value in values.items():
        layer.setDefaultValueDefinition(
            fields.indexOf(name), QgsDefaultValue(QgsExpression.quotedValue(value))
        )
    if len(answer.parts) == 1:
        number = "'E' || to_string(coalesce(maximum(to_int(substr(\"evidence_id\", 2))), 0) + 1)"
        layer.setDefaultValueDefinition(fields.indexOf("evidence_id"), QgsDefaultValue(number))
