"""The procedural world: overhead scenes with exact truth, made from a seed.

Knows how things look from above. Refuses to know: models, prompts, files, and any real image.
"""

from groundproof_training.scenes.pair import Change, Pair, make_pair
from groundproof_training.scenes.spec import CLASSES, SCENE_TYPES, Scene, SceneObject, WorldSpec
from groundproof_training.scenes.version import GENERATOR_VERSION, generator_hash
from groundproof_training.scenes.world import make_scene

__all__ = [
    "CLASSES",
    "GENERATOR_VERSION",
    "SCENE_TYPES",
    "Change",
    "Pair",
    "Scene",
    "SceneObject",
    "WorldSpec",
    "generator_hash",
    "make_pair",
    "make_scene",
]
