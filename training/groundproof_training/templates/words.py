"""The nouns of questions and answers: classes with their synonyms, things never learnt, scene types.

Knows vocabulary. Refuses to know sentences.
"""

from __future__ import annotations

from groundproof.labels import with_article

WORDS: dict[str, tuple[tuple[str, str], ...]] = {
    "airplane": (("airplane", "airplanes"), ("plane", "planes"), ("aircraft", "aircraft"), ("jet", "jets")),
    "ship": (("ship", "ships"), ("boat", "boats"), ("vessel", "vessels")),
    "storage tank": (
        ("storage tank", "storage tanks"),
        ("tank", "tanks"),
        ("oil tank", "oil tanks"),
        ("fuel tank", "fuel tanks"),
    ),
    "vehicle": (("vehicle", "vehicles"), ("car", "cars")),
    "building": (("building", "buildings"),),
    "bridge": (("bridge", "bridges"),),
    "tree": (("tree", "trees"), ("tree crown", "tree crowns")),
    "sports field": (("sports field", "sports fields"),),
    "roundabout": (("roundabout", "roundabouts"), ("traffic circle", "traffic circles")),
    "harbour": (("harbour", "harbours"), ("harbor", "harbors")),
}
"""Singular and plural of every wording; the first is the label that answers use. In the order of the classes."""

CLASS_WEIGHTS = {"airplane": 3.0, "ship": 3.0, "storage tank": 3.0}
"""How often a class is asked about; one that is not listed weighs 1."""

KINDS_ASKED = frozenset({"car"})
"""Wordings that ask for a kind of the class: answered with the class, whose instances may be of another kind."""

UNKNOWN = (
    "swimming pool", "helicopter", "train", "dog", "wind turbine", "stadium", "crane",
    "person", "cow", "horse", "solar panel", "road", "river", "lake", "mountain", "cloud",
    "chimney", "container", "bus stop", "bicycle", "windmill", "dam", "tower", "antenna",
    "parking lot", "island", "beach", "golf course", "fountain",
    "tent", "runway", "pipeline", "fence", "rock", "elephant", "submarine", "bench", "statue", "car wash",
    "railway", "crosswalk", "street lamp", "sheep", "pier", "well", "haystack", "satellite dish",
)  # fmt: skip
"""Things the model is never taught to see; asked about, it says that nothing fits, without repeating the word."""

DECIDES: dict[str, tuple[str, ...]] = {
    "airport": ("airplane",),
    "port": ("harbour", "ship"),
    "open water": ("ship",),
    "storage depot": ("storage tank",),
    "industrial area": ("building", "storage tank"),
    "residential area": ("building",),
    "parking lot": ("vehicle",),
    "farmland": ("tree",),
    "grassland": ("tree",),
    "forest": ("tree",),
    "river": ("bridge", "ship"),
    "road junction": ("roundabout", "bridge", "vehicle"),
    "sports complex": ("sports field",),
}
"""Scene type -> the classes that show it, most telling first. Of other types the most frequent class does."""

_NO_ARTICLE = frozenset({"farmland", "grassland", "open water"})


def scene_words(scene_type: str) -> str:
    """A scene type inside a sentence: "an airport", "farmland"."""
    return scene_type if scene_type in _NO_ARTICLE else with_article(scene_type)


PLACE_PHRASES = {
    "upper left": "in the upper left",
    "top": "at the top",
    "upper right": "in the upper right",
    "left": "on the left",
    "centre": "in the centre",
    "right": "on the right",
    "lower left": "in the lower left",
    "bottom": "at the bottom",
    "lower right": "in the lower right",
}
"""`grammar.place_words` -> the words that say where something lies."""

PLACE_SYNONYMS = {
    "top": ("at the top", "in the upper middle"),
    "bottom": ("at the bottom", "in the lower middle"),
    "centre": ("in the centre", "in the middle", "in the center"),
    "upper left": ("in the upper left", "in the top left corner", "in the upper left corner"),
    "upper right": ("in the upper right", "in the top right corner", "in the upper right corner"),
    "lower left": ("in the lower left", "in the bottom left corner", "in the lower left corner"),
    "lower right": ("in the lower right", "in the bottom right corner", "in the lower right corner"),
    "left": ("on the left",),
    "right": ("on the right",),
}
"""How questions say the same places; the first is what answers write."""
