"""Sentences with gaps: questions, and the plans and conclusions of rationales. Knows no tile.

Gaps: {one} {many} a noun, {place} a place with its space in front or nothing, {here} a place phrase, {a} and {b}
two nouns in the plural, {phrase} a referring phrase, {box} a box.
"""

from __future__ import annotations

PLACES = (
    "", "", "", " in the image", " in the tile", " here", " in this scene", " in this picture", " in the harbour",
    " at the airport",
)  # fmt: skip

COUNT = (
    "How many {many} are there{place}?", "Count the {many}{place}.", "How many {many} do you see{place}?",
    "Number of {many}{place}?", "Count all {many}{place}.", "how many {many}{place}",
    "How many {many} are visible{place}?", "Count {many}.", "What is the number of {many}{place}?",
    "How many {many} can be seen{place}?",
)  # fmt: skip
DETECT = (
    "Find all {many}{place}.", "Detect all {many}{place}.", "Detect every {one}{place}.", "Find the {many}{place}.",
    "Mark the {many}{place}.", "{many}", "Detect {many}.", "Where are the {many}{place}?", "Outline all {many}.",
)  # fmt: skip
GROUND = (
    "Locate every {one}{place}.", "Locate the {many}{place}.", "Locate all {many}.", "Show me the {many}{place}.",
    "Point at each {one}{place}.", "the {many}{place}",
)  # fmt: skip
REFER = (
    "Locate {phrase}.",
    "Find {phrase}.",
    "Where is {phrase}?",
    "{phrase}",
    "Show me {phrase}.",
    "Mark {phrase}.",
)
REFER_MANY = ("Locate {phrase}.", "Find {phrase}.", "Where are {phrase}?", "{phrase}", "Show me {phrase}.")
EXISTS = (
    "Are there any {many}{place}?", "Is there a {one}{place}?", "Is there any {one}{place}?",
    "Do you see {many}{place}?", "Are {many} visible{place}?", "Is a {one} visible{place}?",
    "Can you see any {many}{place}?",
)  # fmt: skip
EXISTS_HERE = ("Is there a {one} {here}?", "Are there {many} {here}?", "Is there any {one} {here}?")
COMPARE = ("Are there more {a} than {b}?", "Are {a} more common than {b}?", "Do {a} outnumber {b}?")
COMMON = (
    "Which is more common, {a} or {b}?",
    "Which are more, {a} or {b}?",
    "What is more frequent, {a} or {b}?",
)
EXTREME = ("What is the {most} object?", "Which object is the {most}?", "What is the {most} thing here?")

CLASSIFY = (
    "What type of scene is this?", "Classify the scene.", "Which scene type is shown?", "What kind of place is this?",
    "Scene class?", "Which category fits this image?", "Classify this image.",
)  # fmt: skip
CAPTION = (
    "Describe the image.", "Caption this image.", "What does the image show?", "Describe this scene.",
    "Give a short description.", "Summarise what is visible.", "What can you see?",
)  # fmt: skip
GROUNDED_CAPTION = (
    "Describe the image with boxes.", "Describe the scene and give the boxes.", "Give a grounded description.",
    "Caption the image with bounding boxes.", "Describe what you see with locations.",
)  # fmt: skip
REGION = (
    "Describe {box}.", "What is in {box}?", "What lies in {box}?", "Describe the region {box}.", "What is at {box}?",
    "What does {box} show?",
)  # fmt: skip
CHANGED = ("What changed?", "What has changed?", "Describe the changes.", "What is different?")
ANY_CHANGE = ("Has anything changed?", "Did anything change?", "Is there any change?")
CHANGE_COUNT = {
    "appeared": ("How many {many} appeared?", "How many {many} are new?", "Count the new {many}."),
    "disappeared": (
        "How many {many} disappeared?",
        "How many {many} are gone?",
        "Count the {many} that are gone.",
    ),
}
CHANGE_FIND = {
    "appeared": ("Find the new {many}.", "Where are the new {many}?", "Mark the {many} that appeared."),
    "disappeared": ("Find the {many} that are gone.", "Mark the {many} that disappeared."),
}

PLANS = (
    "Scan the tile row by row for {many}.",
    "Scan the tile row by row for {many}.",
    "Look for {many}, row by row.",
    "Search every row for {many}.",
)
COMPARE_PLANS = ("Scan for {a} and {b}, row by row.", "Count {a} and {b}, then compare.")
EXTREME_PLANS = ("Compare the sizes of all objects.", "Look for the {most} object.")
REFER_PLANS = ("Look for {phrase}.", "Look for {phrase}.", "Compare all {many}.")
CLASSIFY_PLANS = ("Look for what decides the scene type.", "See which objects are typical here.")
CAPTION_PLANS = ("Scan the tile row by row for objects.", "Look for everything that stands out.")
REGION_PLANS = ("Look only inside the given box.", "Look at what lies in the box.")
CHANGE_PLANS = ("Compare image 1 and image 2.", "Look for what changed.")

QUESTIONS = {
    "count": COUNT,
    "detect": DETECT,
    "ground": (*GROUND, *REFER, *REFER_MANY),
    "vqa": (*EXISTS, *EXISTS_HERE, *COMPARE, *COMMON, *EXTREME),
    "classify": CLASSIFY,
    "caption": CAPTION,
    "grounded-caption": GROUNDED_CAPTION,
    "region-caption": REGION,
    "change": (
        *CHANGED, *ANY_CHANGE, *CHANGE_COUNT["appeared"], *CHANGE_COUNT["disappeared"], *CHANGE_FIND["appeared"],
        *CHANGE_FIND["disappeared"],
    ),
}  # fmt: skip
"""Every wording of a question, by task."""
