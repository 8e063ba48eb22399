"""CORINE Land Cover classes as BigEarthNet names them: the 43 of its first labels and the 19 they were grouped into.

Knows names only. The grouping is that of BigEarthNet's authors (Sumbul et al., "BigEarthNet-MM", IEEE GRSM 2021), with
the class names TorchGeo uses; classes left out there have no group.
"""

from __future__ import annotations

from groundproof_training.samples import class_name

_NATURE = "Land principally occupied by agriculture, with significant areas of natural vegetation"

GROUPS: dict[str, tuple[str, ...]] = {
    "Urban fabric": ("Continuous urban fabric", "Discontinuous urban fabric"),
    "Industrial or commercial units": ("Industrial or commercial units",),
    "Arable land": ("Non-irrigated arable land", "Permanently irrigated land", "Rice fields"),
    "Permanent crops": (
        "Vineyards",
        "Fruit trees and berry plantations",
        "Olive groves",
        "Annual crops associated with permanent crops",
    ),
    "Pastures": ("Pastures",),
    "Complex cultivation patterns": ("Complex cultivation patterns",),
    _NATURE: (_NATURE,),
    "Agro-forestry areas": ("Agro-forestry areas",),
    "Broad-leaved forest": ("Broad-leaved forest",),
    "Coniferous forest": ("Coniferous forest",),
    "Mixed forest": ("Mixed forest",),
    "Natural grassland and sparsely vegetated areas": ("Natural grassland", "Sparsely vegetated areas"),
    "Moors, heathland and sclerophyllous vegetation": ("Moors and heathland", "Sclerophyllous vegetation"),
    "Transitional woodland, shrub": ("Transitional woodland/shrub",),
    "Beaches, dunes, sands": ("Beaches, dunes, sands",),
    "Inland wetlands": ("Inland marshes", "Peatbogs"),
    "Coastal wetlands": ("Salt marshes", "Salines"),
    "Inland waters": ("Water courses", "Water bodies"),
    "Marine waters": ("Coastal lagoons", "Estuaries", "Sea and ocean"),
}
"""The 19 classes and which of the 43 belong to each."""

UNGROUPED = (
    "Airports", "Bare rock", "Burnt areas", "Construction sites", "Dump sites", "Green urban areas",
    "Intertidal flats", "Mineral extraction sites", "Port areas", "Road and rail networks and associated land",
    "Sport and leisure facilities",
)  # fmt: skip
"""Of the 43, those the 19 classes leave out."""

GROUP_OF = {one: group for group, members in GROUPS.items() for one in members}
LABELS_43 = tuple(sorted((*GROUP_OF, *UNGROUPED)))
LABELS_19 = tuple(GROUPS)

_WITH_COMMA = sorted(
    {class_name(name) for name in (*LABELS_43, *LABELS_19) if "," in name}, key=len, reverse=True
)


def split_classes(text: str) -> tuple[str, ...]:
    """A comma list of classes in plain words, where some names hold commas themselves: "beaches, dunes, sands,
    pastures" -> ("beaches, dunes, sands", "pastures")."""
    rest = class_name(text).rstrip(". ")
    found: list[str] = []
    while rest:
        whole = next((n for n in _WITH_COMMA if rest == n or rest.startswith(n + ",")), None)
        name = whole or rest.split(",", 1)[0]
        if name.strip():
            found.append(name.strip())
        rest = rest[len(name) :].lstrip(", ")
    return tuple(found)
