"""Super-categories of scene classes, for partial credit. Ours: no paper publishes one.

Covers NWPU-RESISC45, AID, UCMerced, WHU-RS19 and SIRI-WHU. Classes that look alike from above share a group, so that
naming the wrong one of them is nearer to the truth than naming an unrelated one.
"""

from __future__ import annotations

GROUPS: dict[str, tuple[str, ...]] = {
    "water": (
        "beach", "lake", "river", "sea", "ocean", "pond", "water", "wetland", "island", "sea ice", "coast", "port",
        "harbour", "dam",
    ),
    "vegetation": ("forest", "chaparral", "meadow", "grassland", "shrub land", "park", "mountain"),
    "farmland": (
        "farmland", "agriculture", "agricultural", "circular farmland", "rectangular farmland", "terrace", "orchard",
    ),
    "bare": ("bare land", "bareland", "desert", "idle land", "snowberg", "cloud"),
    "residential": (
        "residential", "dense residential", "medium residential", "sparse residential", "mobile home park", "buildings",
        "building",
    ),
    "commercial": ("commercial", "commercial area", "center", "school", "church", "palace", "square", "resort"),
    "industrial": (
        "industrial", "industrial area", "storage tanks", "thermal power station", "mining area",
    ),
    "sport": (
        "baseball field", "baseball diamond", "basketball court", "football field", "golf course", "ground track field",
        "playground", "stadium", "tennis court", "swimming pool", "soccer field",
    ),
    "road": ("freeway", "intersection", "overpass", "roundabout", "viaduct", "bridge", "parking lot", "parking"),
    "rail": ("railway", "railway station"),
    "air": ("airplane", "airport", "runway"),
    "ship": ("ship",),
}  # fmt: skip
