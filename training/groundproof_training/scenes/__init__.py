"""The procedural world: overhead scenes with exact truth, made from a seed.

Knows how things look from above. Refuses to know: models, prompts, files, georeferences, and any real image.
"""

from groundproof_training.scenes.spec import CLASSES, Scene, SceneObject, WorldSpec
from groundproof_training.scenes.world import GENERATOR_VERSION, make_scene

__all__ = ["CLASSES", "GENERATOR_VERSION", "Scene", "SceneObject", "WorldSpec", "make_scene"]
