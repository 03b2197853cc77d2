"""Words as people write them, brought to one form: case, hyphens, plurals, spellings."""

from __future__ import annotations

import re

_SEPARATORS = re.compile(r"[\s_\-/.,;:]+")
_REMARK = re.compile(r"\s*[(\[].*?[)\]]")
_DROPPED = str.maketrans("", "", "'\u2019`\"!?")
_IRREGULAR = {
    "people": "person",
    "men": "man",
    "women": "woman",
    "children": "child",
    "mice": "mouse",
    "geese": "goose",
    "feet": "foot",
    "teeth": "tooth",
    "oxen": "ox",
    "knives": "knife",
    "leaves": "leaf",
    "loaves": "loaf",
    "shelves": "shelf",
    "wolves": "wolf",
    "calves": "calf",
    "scarves": "scarf",
    "lives": "life",
    "halves": "half",
    "hooves": "hoof",
    "thieves": "thief",
    "wives": "wife",
    "buses": "bus",
    "gases": "gas",
    "cacti": "cactus",
    "fungi": "fungus",
    "axes": "axe",
    "shoes": "shoe",
    "canoes": "canoe",
    "horseshoes": "horseshoe",
    "cookies": "cookie",
    "movies": "movie",
    "zombies": "zombie",
    "ties": "tie",
    "pies": "pie",
    "dies": "die",
    "headaches": "headache",
    "avalanches": "avalanche",
    "caches": "cache",
    "skies": "sky",
    "birdies": "birdie",
    "hoodies": "hoodie",
    "brownies": "brownie",
    "smoothies": "smoothie",
    "beanies": "beanie",
}
_MEN = re.compile(r"(?<=[a-z]{2})men$")
_ALIKE = re.compile(r"(?:ss|us|is|ous)$")
_SPELLINGS = (
    (re.compile(r"(?<=[a-z]{2})our(?=ed\b|ing\b|\b)"), "or"),
    (re.compile(r"\bgrey"), "gray"),
    (re.compile(r"aluminium"), "aluminum"),
    (re.compile(r"\btyre"), "tire"),
    (re.compile(r"doughnut"), "donut"),
    (re.compile(r"moustache"), "mustache"),
    (re.compile(r"aeroplane"), "airplane"),
    (re.compile(r"(?<=[a-z]{3})is(?=e\b|er\b|ed\b|ing\b)"), "iz"),
    (re.compile(r"\bpyjama"), "pajama"),
    (re.compile(r"jewellery"), "jewelry"),
    (re.compile(r"\bplough"), "plow"),
    (re.compile(r"(?<=[a-z])tre\b"), "ter"),
    (re.compile(r"gramme\b"), "gram"),
    (re.compile(r"yoghurt"), "yogurt"),
    (re.compile(r"\bpan cake"), "pancake"),
)
# Words that are the same word or its past, not one of many: stripping their s would make another word of them.
_NO_PLURAL = frozenset({"gas", "lens", "bus", "canvas", "atlas", "christmas", "pancreas", "iris", "chess", "news"})


def plain(name: str) -> str:
    """Return a name in small letters, words parted by one space, without remarks in brackets."""
    text = _REMARK.sub("", name) or name
    return " ".join(_SEPARATORS.sub(" ", text.casefold().translate(_DROPPED)).split())


def singular(name: str) -> str:
    """Return a plain name with its last word in the singular, by English rules of spelling."""
    head, _, last = name.rpartition(" ")
    one = _singular_word(last)
    return f"{head} {one}" if head else one


def _singular_word(word: str) -> str:
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) < 4 or word in _NO_PLURAL or _ALIKE.search(word):
        return word if len(word) != 3 or not word.endswith("s") or word[-2] in "asuioe" else word[:-1]
    if found := _MEN.search(word):
        return word[: found.start()] + "man"
    if word.endswith("ies"):
        return f"{word[:-3]}y"
    if word.endswith(("sses", "xes", "zes", "ches", "shes")):
        return word[:-2]
    if word.endswith("oes"):
        return word[:-2]
    return word.removesuffix("s")


def stem(name: str) -> str:
    """Return a plain singular name in one spelling and without spaces: `hot dog` and `hotdog` become the same."""
    text = singular(name)
    for pattern, replacement in _SPELLINGS:
        text = pattern.sub(replacement, text)
    return text.replace(" ", "")
