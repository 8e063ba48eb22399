"""What an object is called: raw noun phrases to one normalised label, and which label is a kind of which.

Knows English nouns of overhead imagery, their synonyms and how plurals are made. Refuses to know boxes,
tasks and models. A label that is not in the tables is kept, in lower case and singular: vocabularies are
open, only spelling is unified.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

MAX_LABEL = 80
"""Characters of a normalised label; a longer phrase is a sentence, and its end is what names things."""

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
    "aviones": "airplane",
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

_NOT_A_KIND = {"battle tank", "military tank", "aircraft carrier", "fish tank"}

_IRREGULAR: dict[str, str] = {
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
_SINGULAR_ENDINGS = ("ss", "us", "is", "ous")
_ES_ENDINGS = ("ches", "shes", "sses", "xes", "zzes")
_O_ES = {"volcanoes", "tornadoes", "heroes", "potatoes", "tomatoes", "mosquitoes", "tornados"}

_LEADING = {
    *[
        "a",
        "an",
        "the",
        "this",
        "that",
        "these",
        "those",
        "some",
        "any",
        "all",
        "every",
        "each",
        "both",
        "another",
        "other",
        "further",
        "more",
        "many",
        "much",
        "several",
        "few",
        "no",
        "of",
        "my",
        "our",
        "its",
        "their",
        "single",
        "individual",
        "separate",
        "total",
        "visible",
        "clearly",
        "detected",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "dozen",
        "dozens",
        "pair",
        "couple",
        "number",
        "group",
        "set",
        "row",
        "line",
        "lots",
        "lot",
        "plenty",
        "various",
        "multiple",
        "numerous",
        "certain",
        "only",
        "about",
        "around",
        "roughly",
        "approximately",
        "exactly",
        "there",
        "are",
        "is",
        "was",
        "were",
        "be",
        "which",
        "what",
        "how",
        "such",
        "possible",
        "probable",
        "likely",
        "apparent",
        "obvious",
        "distinct",
        "different",
    ],
}
_ADJECTIVES = {
    *[
        "white",
        "black",
        "red",
        "blue",
        "green",
        "yellow",
        "grey",
        "gray",
        "brown",
        "silver",
        "dark",
        "light",
        "bright",
        "pale",
        "orange",
        "pink",
        "purple",
        "beige",
        "tan",
        "colored",
        "coloured",
        "large",
        "small",
        "big",
        "little",
        "tiny",
        "huge",
        "long",
        "short",
        "tall",
        "narrow",
        "wide",
        "round",
        "circular",
        "rectangular",
        "square",
        "elongated",
        "parked",
        "moored",
        "docked",
        "anchored",
        "moving",
        "stationary",
        "old",
        "new",
        "modern",
        "wooden",
        "metal",
        "metallic",
        "concrete",
        "bare",
        "dense",
        "sparse",
        "isolated",
        "medium",
        "sized",
        "smaller",
        "larger",
        "largest",
        "smallest",
        "bigger",
        "biggest",
        "longest",
        "shortest",
        "widest",
        "leftmost",
        "rightmost",
        "topmost",
        "bottommost",
        "nearby",
        "adjacent",
        "similar",
        "identical",
        "partial",
        "partially",
        "occluded",
        "blurry",
        "shiny",
        "flat",
        "typical",
    ],
}
_CUT = re.compile(
    r"\b(?:in|on|at|of|by|near|beside|besides|next|within|inside|outside|under|over|above|below|behind|"
    r"between|among|along|across|around|from|to|with|without|that|which|who|whose|where|is|are|was|were|"
    r"parked|moored|docked|anchored|located|situated|visible|facing|heading|pointing|surrounded|"
    r"adjacent|close|and|or|but|can|could|do|does|seen|present|has|have)\b"
)
_PHRASE_END = re.compile(r"[,;:()\[\]{}|\n。，；：]|\.(?=\s|$)|\s[–—-]\s")
_JUNK = re.compile(r"[^\w\s'-]+|_+")
_NUMBERISH = re.compile(r"^(?:e|#)?\d[\d.,]*(?:st|nd|rd|th)?$")


@lru_cache(maxsize=4096)
def normalise(raw: str) -> str:
    """One spelling of what `raw` names: "the two white Planes" -> "airplane"; "" when it names nothing.

    Lower case, articles, counting words and plain adjectives (colour, size, state) stripped, the phrase
    cut at its first preposition, the last word made singular, synonyms unified. Words that make another
    thing are kept: "cargo ship" stays (it is a kind of ship, `is_kind_of`). Idempotent; never raises.
    """
    text = unicodedata.normalize("NFKC", raw[: 8 * MAX_LABEL]).casefold()
    text = _JUNK.sub(" ", text.replace("-", " "))
    words = [w for w in text.replace("'s ", " ").replace("'", " ").split() if w]
    previous: list[str] | None = None
    while words != previous:
        # A step can uncover work for an earlier one ("tanks of" -> "tanks" -> "tank"), so until it rests.
        previous = words
        words = _step(words)
    return " ".join(words)


def _step(words: list[str]) -> list[str]:
    while words and (words[0] in _LEADING or _NUMBERISH.match(words[0])):
        words = words[1:]
    while len(words) > 1 and _NUMBERISH.match(words[-1]):
        words = words[:-1]
    if len(words) > 1 and words[0] in _ADJECTIVES and " ".join(words) not in SYNONYMS:
        return words[1:]
    match = _CUT.search(" ".join(words))
    if match and match.start() > 0:
        words = " ".join(words)[: match.start()].split()
    elif match and match.start() == 0:
        words = words[1:]
    while len(" ".join(words)) > MAX_LABEL and len(words) > 1:
        words = words[1:]
    if not words:
        return words
    words = [*words[:-1], singular(words[-1])[:MAX_LABEL]]
    return SYNONYMS.get(" ".join(words), " ".join(words)).split()


def cut_phrase(text: str) -> str:
    """The noun phrase at the beginning of `text`, as written: up to punctuation, a preposition or a verb.

    "A white tank beside the pier, partly hidden" -> "A white tank"; "" when the text begins otherwise.
    """
    stop = _PHRASE_END.search(text)
    phrase = text[: stop.start()] if stop else text
    cut = _CUT.search(phrase.lower()) if phrase.isascii() else _CUT.search(phrase)
    return (phrase[: cut.start()] if cut else phrase).strip()


def singular(word: str) -> str:
    """One lower-case English noun in the singular; unknown words by rule ("hangars" -> "hangar")."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) < 4 or not word.endswith("s") or word.endswith(_SINGULAR_ENDINGS):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(_ES_ENDINGS) or word in _O_ES:
        return word[:-2] if word.endswith("es") else word[:-1]
    return word[:-1]


_PLURALS = {"person": "people", "man": "men", "woman": "women", "child": "children", "leaf": "leaves",
            "wharf": "wharves", "foot": "feet", "goose": "geese", "ox": "oxen", "axis": "axes",
            "tomato": "tomatoes", "volcano": "volcanoes", "bus": "buses"}  # fmt: skip
_UNCOUNTED = {word for word, one in _IRREGULAR.items() if word == one}


def plural(label: str) -> str:
    """A normalised label in the plural: "storage tank" -> "storage tanks"."""
    head, _, last = label.rpartition(" ")
    if last in _PLURALS:
        many = _PLURALS[last]
    elif last in _UNCOUNTED:
        many = last
    elif last.endswith("y") and len(last) > 1 and last[-2] not in "aeiou":
        many = last[:-1] + "ies"
    elif last.endswith(("ch", "sh", "s", "x", "z")):
        many = last + "es"
    else:
        many = last + "s"
    return f"{head} {many}" if head else many


def with_article(label: str) -> str:
    """ "an airplane", "a ship"."""
    return f"{'an' if label[:1] in set('aeiou') and not label.startswith('u') else 'a'} {label}"


def is_kind_of(label: str, asked: str) -> bool:
    """True when an object called `label` answers a question about `asked`. Raw or normalised names.

    Equal; or listed in `KINDS` ("car" is a vehicle); or a compound whose head is `asked` ("cargo ship" is
    a ship). Never the other way round: "vehicle" is not a kind of car.
    """
    one, other = normalise(label), normalise(asked)
    if not one or not other:
        return False
    seen: set[str] = set()
    while one and one not in seen:
        if one == other:
            return True
        seen.add(one)
        if one in _NOT_A_KIND:
            return False
        if one.endswith(" " + other):
            return True
        one = KINDS.get(one) or _head(one)
    return False


def _head(label: str) -> str:
    """The last words of a compound, as far as they are a listed kind: "blue pickup truck" -> "truck"."""
    words = label.split()
    for i in range(1, len(words)):
        tail = " ".join(words[i:])
        if tail in KINDS or tail in SYNONYMS:
            return SYNONYMS.get(tail, tail)
    return ""
