"""Boxes that another scene's answer counts: the findings about them.

Knows E-numbers and scenes' names. Refuses to know how such boxes are found (`dedupe.py`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from groundproof.findings import AuditFinding, Kind
from groundproof.wording import joined

if TYPE_CHECKING:
    from collections.abc import Mapping


def other_scenes(lowered: Mapping[str, tuple[str, str]]) -> list[AuditFinding]:
    """One finding for each scene that counts boxes of this answer.

    lowered: by E-number, the scene that counts the box, and its E-number there.
    """
    by_scene: dict[str, list[tuple[str, str]]] = {}
    for own, (scene, there) in lowered.items():
        by_scene.setdefault(scene, []).append((own, there))
    findings = []
    for scene, pairs in by_scene.items():
        pairs.sort(key=lambda pair: (len(pair[0]), pair[0]))
        what = (
            "1 box is not counted here, it is"
            if len(pairs) == 1
            else f"{len(pairs)} boxes are not counted here, they are"
        )
        named = joined([f"{own} as {there}" for own, there in pairs])
        sentence = f"{what} counted in scene {scene}: {named}"
        findings.append(
            AuditFinding(Kind.OTHER_SCENE, "info", sentence, evidence=tuple(own for own, _ in pairs))
        )
    return findings
