"""The word tables behind `groundproof.labels`: synonyms, kinds, irregular plurals, words that name nothing.

Knows vocabulary. Refuses to know what is done with it.
"""

from __future__ import annotations


def words(text: str) -> frozenset[str]:
    """The words of a text as a set: a vocabulary is easier to read as text than as a list."""
    return frozenset(text.split())


SYNONYMS: dict[str, str] = {
    "plane": "airplane",
    "aircraft": "airplane",
    "aeroplane": "airplane",
    "jet": "airplane",
    "jet plane": "airplane",
    "jetliner": "airplane",
    "airliner": "airplane",
    "air plane": "airplane",
    "chopper": "helicopter",
    "boat": "ship",
    "vessel": "ship",
    "watercraft": "ship",
    "automobile": "car",
    "motorcar": "car",
    "sedan": "car",
    "motor vehicle": "vehicle",
    "lorry": "truck",
    "coach": "bus",
    "minivan": "van",
    "tank": "storage tank",
    "oil tank": "storage tank",
    "oiltank": "storage tank",
    "fuel tank": "storage tank",
    "gas tank": "storage tank",
    "petroleum tank": "storage tank",
    "oil storage tank": "storage tank",
    "storagetank": "storage tank",
    "silo tank": "storage tank",
    "tree crown": "tree",
    "tree canopy": "tree",
    "palm tree": "palm",
    "harbor": "harbour",
    "port": "harbour",
    "car park": "parking lot",
    "parking": "parking lot",
    "parking area": "parking lot",
    "carpark": "parking lot",
    "football field": "soccer field",
    "football pitch": "soccer field",
    "soccer ball field": "soccer field",
    "soccer pitch": "soccer field",
    "running track": "ground track field",
    "track field": "ground track field",
    "baseball field": "baseball diamond",
    "baseball court": "baseball diamond",
    "pool": "swimming pool",
    "traffic circle": "roundabout",
    "rotary": "roundabout",
    "flyover": "overpass",
    "smokestack": "chimney",
    "wind mill": "wind turbine",
    "windmill": "wind turbine",
    "solar panel array": "solar panel",
    "photovoltaic panel": "solar panel",
    "cross road": "crossroad",
    "crossroads": "crossroad",
    "home": "house",
    "human": "person",
    "pedestrian": "person",
    "man": "person",
    "woman": "person",
    # A few words of other languages, singular and plural, so that a question in them finds its objects
    "flugzeug": "airplane",
    "flugzeuge": "airplane",
    "schiff": "ship",
    "schiffe": "ship",
    "fahrzeug": "vehicle",
    "fahrzeuge": "vehicle",
    "avion": "airplane",
    "avión": "airplane",
    "avione": "airplane",
    "navire": "ship",
    "bateau": "ship",
    "bateaux": "ship",
    "barco": "ship",
    "véhicule": "vehicle",
    "vehículo": "vehicle",
    "飞机": "airplane",
    "船": "ship",
    "船只": "ship",
    "舰船": "ship",
    "车辆": "vehicle",
    "汽车": "car",
    "油罐": "storage tank",
    "储油罐": "storage tank",
}
"""Other names of the same thing. Keys and values are singular, lower case; no value is a key."""

KINDS: dict[str, str] = {
    "car": "vehicle",
    "truck": "vehicle",
    "van": "vehicle",
    "bus": "vehicle",
    "pickup": "vehicle",
    "trailer": "vehicle",
    "tractor": "vehicle",
    "motorcycle": "vehicle",
    "bulldozer": "vehicle",
    "excavator": "vehicle",
    "tanker truck": "truck",
    "house": "building",
    "warehouse": "building",
    "hangar": "building",
    "shed": "building",
    "church": "building",
    "factory": "building",
    "palm": "tree",
    "tanker": "ship",
    "ferry": "ship",
    "yacht": "ship",
    "sailboat": "ship",
    "barge": "ship",
    "warship": "ship",
    "tugboat": "ship",
    "speedboat": "ship",
    "motorboat": "ship",
    "fighter": "airplane",
    "bomber": "airplane",
    "airplane": "aerial vehicle",
    "helicopter": "aerial vehicle",
    "tennis court": "sports field",
    "basketball court": "sports field",
    "soccer field": "sports field",
    "baseball diamond": "sports field",
    "ground track field": "sports field",
}
"""A label to the label it is a kind of. "How many vehicles" counts cars; "how many cars" no trucks."""

KNOWN = frozenset(SYNONYMS) | frozenset(SYNONYMS.values()) | frozenset(KINDS) | frozenset(KINDS.values())
"""Every name in the tables: nouns that surely are objects, in prose full of other nouns."""

NOT_A_KIND = {"aerial vehicle", "battle tank", "military tank", "aircraft carrier", "fish tank"}

IRREGULAR: dict[str, str] = {
    "aircraft": "aircraft",
    "watercraft": "watercraft",
    "spacecraft": "spacecraft",
    "sheep": "sheep",
    "deer": "deer",
    "series": "series",
    "species": "species",
    "premises": "premises",
    "barracks": "barracks",
    "crossroads": "crossroads",
    "headquarters": "headquarters",
    "buses": "bus",
    "busses": "bus",
    "gas": "gas",
    "canvas": "canvas",
    "atlas": "atlas",
    "tennis": "tennis",
    "chassis": "chassis",
    "people": "person",
    "persons": "person",
    "men": "man",
    "women": "woman",
    "children": "child",
    "feet": "foot",
    "geese": "goose",
    "oxen": "ox",
    "leaves": "leaf",
    "wharves": "wharf",
    "quays": "quay",
    "shelves": "shelf",
    "wolves": "wolf",
    "roofs": "roof",
    "lens": "lens",
    "radii": "radius",
    "axes": "axis",
    "antennae": "antenna",
    "vertices": "vertex",
    "runways": "runway",
    "piers": "pier",
    "houses": "house",
    "warehouses": "warehouse",
    "greenhouses": "greenhouse",
    "lighthouses": "lighthouse",
    "bridges": "bridge",
    "garages": "garage",
    "barges": "barge",
    "villages": "village",
    "axles": "axle",
    "movies": "movie",
    "ties": "tie",
    "pies": "pie",
    "caches": "cache",
    "horses": "horse",
    "courses": "course",
    "bases": "base",
    "ruins": "ruin",
}
SINGULAR_ENDINGS = ("ss", "us", "is", "ous")
ES_ENDINGS = ("ches", "shes", "sses", "xes", "zzes")
O_ES = {"volcanoes", "tornadoes", "heroes", "potatoes", "tomatoes", "mosquitoes", "tornados"}

LEADING = words(
    """
    a an the this that these those some any all every each both another other further more many
    much several few no of my our its their single individual separate total visible clearly
    detected one two three four five six seven eight nine ten eleven twelve dozen dozens pair
    couple number group set row line lots lot plenty various multiple numerous certain only about
    around roughly approximately exactly there are is was were be which what how such possible
    probable likely apparent obvious distinct different also then here now so next finally first second third last
    """
)
ADJECTIVES = words(
    """
    white black red blue green yellow grey gray brown silver dark light bright pale orange pink
    purple beige tan colored coloured large small big little tiny huge long short tall narrow wide
    round circular rectangular square elongated parked moored docked anchored moving stationary
    old new modern wooden metal metallic concrete bare dense sparse isolated medium sized smaller
    larger largest smallest bigger biggest longest shortest widest leftmost rightmost topmost
    bottommost nearby adjacent similar identical partial partially occluded blurry shiny flat
    typical
    """
)
