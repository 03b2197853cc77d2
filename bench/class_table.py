"""Make the table of classes that public data sets have: `vision_cli/models/known/classes.tsv` and `kinds.tsv`.

Each list comes from where it is published, under its own licence; nothing is fetched here:

- ImageNet-1k: labels from torchvision, synonyms (WordNet's lemmas) from timm; both installed.
- LVIS v1: names, synonyms and WordNet synsets from `detectron2/data/datasets/lvis_v1_categories.py` (CC-BY-4.0).
- COCO and Cityscapes: `detectron2/data/datasets/builtin_meta.py`.
- Open Images (boxes) and Pascal VOC: `mmdet/evaluation/functional/class_names.py`.
- ADE20K: the column of names of `objectInfo150.txt` of MIT's scene parsing benchmark, one class a line.
- KITTI: the readme of its object devkit, which is short enough to stand here.
- kinds (dog, bird, vehicle): hypernyms of WordNet 3.1, the folder `dict` of its database files.

    python bench/class_table.py DETECTRON2 MMDET WORDNET_DICT OBJECT_INFO_150

The first two are the folders of the packages' sources.
"""

from __future__ import annotations

import csv
import importlib.util
import re
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parents[1] / "vision_cli" / "models" / "known"
_MOST_MEMBERS = 450
_WIDE_WORDS = """
abstraction, adult, area, article, artifact, attribute, bar, barrier, body, body part, building material, causal
agent, chordate, collection, commodity, communication, consumer goods, container, content, conveyance, cover,
covering, creation, device, durables, enclosure, entity, equipment, establishment, event, expert, fabric, facility,
fastener, geological formation, group, implement, instrumentality, line, living thing, location, male, material,
matter, measure, mechanical device, mechanism, medium, natural elevation, natural object, object, obstruction,
opening, organism, padding, part, partition, physical entity, place of business, plant organ, plant part, process,
product, protective covering, psychological feature, region, relation, representation, restraint, room, shape,
sheet, sign, signal, solid, state, strip, structure, substance, support, supporting structure, surface, system,
thing, ware, way, whole, work, worker
"""
_TOO_WIDE = {" ".join(words.split()) for words in _WIDE_WORDS.split(",")}
"""Hypernyms that no one asks for."""
_COCO_KINDS = {
    "animal|beast|creature": range(16, 26),
    "vehicle": range(2, 10),
    "food": range(52, 62),
    "furniture": range(62, 71),
    "appliance|home appliance": range(78, 83),
}
_GROUPS = ("person", "plastic_bag", "radish")
"""LVIS classes of several things (man and woman, plastic and paper bags), which are no other names of one another."""
_KITTI = ("Car", "Van", "Truck", "Pedestrian", "Person_sitting", "Cyclist", "Tram", "Misc")
_SYNONYMS = {
    "person": "human|human being|pedestrian|passer-by|passenger|man|woman|child",
    "bicycle": "bike|pushbike|cycle",
    "car": "automobile|auto|motorcar|passenger car",
    "motorcycle": "motorbike|motor bike",
    "motorbike": "motorcycle|motor bike",
    "airplane": "aeroplane|plane|aircraft",
    "aeroplane": "airplane|plane|aircraft",
    "truck": "lorry",
    "bus": "coach|omnibus",
    "train": "railway train",
    "boat": "ship|vessel",
    "traffic light": "traffic signal|stoplight",
    "fire hydrant": "hydrant",
    "cow": "cattle|bull|ox",
    "dog": "puppy|hound",
    "cat": "kitten|kitty",
    "horse": "pony|foal",
    "sheep": "lamb|ewe",
    "sports ball": "ball|football|soccer ball|basketball|volleyball|tennis ball",
    "wine glass": "wineglass",
    "cup": "mug",
    "donut": "doughnut",
    "hot dog": "hotdog|frankfurter|frank|wiener",
    "couch": "sofa|settee",
    "sofa": "couch|settee",
    "potted plant": "houseplant|house plant|pot plant",
    "pottedplant": "potted plant|houseplant|house plant",
    "houseplant": "potted plant",
    "dining table": "table",
    "diningtable": "dining table|table",
    "tv": "television|tv monitor|monitor|television set|tv set",
    "tvmonitor": "tv monitor|tv|television|monitor|screen",
    "laptop": "notebook computer|laptop computer",
    "mouse": "computer mouse",
    "remote": "remote control",
    "cell phone": "mobile phone|smartphone|cellular phone|phone|mobile",
    "mobile phone": "cell phone|smartphone|cellular phone|phone|mobile",
    "refrigerator": "fridge",
    "hair drier": "hair dryer|blow dryer",
    "handbag": "purse",
    "suitcase": "luggage|baggage",
    "backpack": "rucksack|knapsack",
    "pedestrian": "person|human|walker|passer-by",
    "person sitting": "sitting person|seated person",
    "cyclist": "bicycle rider|biker",
    "rider": "cyclist|motorcyclist|bicycle rider",
    "tram": "streetcar|trolley|tramcar",
    "road": "street|carriageway|drivable surface",
    "sidewalk": "pavement|footpath",
    "vegetation": "tree|bush|hedge|plant|shrub",
    "terrain": "grass|lawn|soil|sand",
    "traffic sign": "road sign|street sign|stop sign",
    "building": "house|edifice|skyscraper",
    "pole": "post|lamp post|lamppost",
    "human face": "face",
    "human hand": "hand",
    "human eye": "eye",
    "human head": "head",
    "human body": "body",
    "human hair": "hair",
    "vehicle registration plate": "license plate|licence plate|number plate",
    "footwear": "shoe",
    "clothing": "clothes|apparel|garment",
    "bicycle helmet": "cycle helmet",
    "chicken": "hen|rooster|poultry",
    "cattle": "cow|bull",
}
"""Of sets that come without synonyms: by class, in small letters."""


@dataclass(frozen=True, slots=True)
class Row:
    """One class: its place in the set's own order from 0, its id there, name and other names."""

    dataset: str
    index: int
    id: int
    label: str
    synonyms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Synset:
    """One noun of WordNet."""

    words: tuple[str, ...]
    gloss: str
    above: tuple[int, ...]


def main(detectron2: Path, mmdet: Path, wordnet: Path, ade20k: Path) -> None:
    """Write both tables."""
    lvis = _module(detectron2 / "data/datasets/lvis_v1_categories.py").LVIS_CATEGORIES
    meta = _module(detectron2 / "data/datasets/builtin_meta.py")
    lists = _class_names(mmdet / "evaluation/functional/class_names.py")
    nouns = _nouns(wordnet / "data.noun")
    shared = _unambiguous(lvis)
    rows = [
        *_imagenet(),
        *_plain("coco", [(entry["id"], entry["name"]) for entry in meta.COCO_CATEGORIES if entry["isthing"]], shared),
        *_plain("openimages", list(enumerate(lists["oid_v6_classes"]())), shared),
        *(_of_lvis(entry) for entry in lvis),
        *_plain("voc", list(enumerate(lists["voc_classes"](), 1)), shared),
        *_plain("kitti", list(enumerate(_KITTI)), {}),
        *_plain("cityscapes", [(entry["id"], entry["name"]) for entry in meta.CITYSCAPES_CATEGORIES], {}),
        *_ade20k(ade20k),
    ]
    with (TARGET / "classes.tsv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t", lineterminator="\n", quoting=csv.QUOTE_NONE, quotechar=None)
        writer.writerow(("dataset", "index", "id", "label", "synonyms"))
        writer.writerows((row.dataset, row.index, row.id, row.label, "|".join(row.synonyms)) for row in rows)
    members = {"imagenet-1k": _imagenet_synsets(nouns), "lvis": _lvis_synsets(lvis, nouns, wordnet / "index.sense")}
    first = _first_senses(wordnet / "index.sense")
    _write_kinds([*_kinds(members, nouns, first), *_coco_kinds(rows)])


def _module(path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{path}: cannot be read")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _class_names(path: Path) -> dict[str, Any]:
    """Run mmdet's module of lists without mmengine, which it imports for something else."""
    found: dict[str, Any] = {}
    exec(path.read_text(encoding="utf-8").replace("from mmengine.utils import is_str", ""), found)  # noqa: S102
    return found


def _imagenet() -> list[Row]:
    from torchvision.models import ResNet50_Weights

    labels = ResNet50_Weights.IMAGENET1K_V1.meta["categories"]
    info = files("timm.data._info")
    synsets = info.joinpath("imagenet_synsets.txt").read_text(encoding="utf-8").split()
    lemmas = dict(
        line.split("\t", 1) for line in info.joinpath("imagenet_synset_to_lemma.txt").read_text("utf-8").splitlines()
    )
    return [
        Row("imagenet-1k", index, index, label, _others(label, lemmas[synset].split(", ")))
        for index, (label, synset) in enumerate(zip(labels, synsets, strict=True))
    ]


def _of_lvis(entry: Mapping[str, Any]) -> Row:
    names = [name.replace("_", " ") for name in (entry["name"], *entry["synonyms"])]
    return Row("lvis", entry["id"] - 1, entry["id"], names[0], _others(names[0], names[1:]))


def _plain(dataset: str, names: Sequence[tuple[int, str]], shared: Mapping[str, Sequence[str]]) -> list[Row]:
    """Return classes of a list without synonyms: those of this file, and LVIS's where just one class has the name."""
    rows = []
    for index, (number, label) in enumerate(names):
        key = label.replace("_", " ").casefold()
        more = [*_SYNONYMS.get(key, "").split("|"), *shared.get(key, ())]
        rows.append(Row(dataset, index, number, label, _others(label, [name for name in more if name])))
    return rows


def _ade20k(path: Path) -> list[Row]:
    lines = [line.split(", ") for line in path.read_text(encoding="utf-8").splitlines()]
    return [
        Row("ade20k", index, index + 1, names[0], _others(names[0], names[1:])) for index, names in enumerate(lines)
    ]


def _others(label: str, names: Sequence[str]) -> tuple[str, ...]:
    first = {name.casefold(): name for name in reversed(list(names))}
    first.pop(label.casefold(), None)
    return tuple(dict.fromkeys(first[name.casefold()] for name in names if name.casefold() in first))


def _unambiguous(lvis: Sequence[Mapping[str, Any]]) -> dict[str, list[str]]:
    by_name: dict[str, list[list[str]]] = defaultdict(list)
    for entry in lvis:
        if entry["name"] in _GROUPS:
            continue
        names = list(dict.fromkeys(name.replace("_", " ") for name in entry["synonyms"] if "(" not in name))
        for name in names:
            by_name[name.casefold()].append(names)
    return {name: found[0] for name, found in by_name.items() if len(found) == 1}


def _nouns(path: Path) -> dict[int, Synset]:
    nouns = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("  "):
            continue
        data, _, gloss = line.partition(" | ")
        fields = data.split()
        n_words = int(fields[3], 16)
        words = tuple(fields[4 + 2 * at].replace("_", " ") for at in range(n_words))
        pointers = fields[5 + 2 * n_words :]
        above = tuple(int(pointers[at + 1]) for at in range(0, len(pointers) - 3, 4) if pointers[at] in ("@", "@i"))
        nouns[int(fields[0])] = Synset(words, gloss.strip(), above)
    return nouns


def _imagenet_synsets(nouns: Mapping[int, Synset]) -> dict[int, int]:
    """Return the synset of WordNet 3.1 of each class, found by its words and its definition; ImageNet has 3.0's ids."""
    info = files("timm.data._info")
    read = {
        name: dict(line.split("\t", 1) for line in info.joinpath(name).read_text(encoding="utf-8").splitlines())
        for name in ("imagenet_synset_to_lemma.txt", "imagenet_synset_to_definition.txt")
    }
    by_word: dict[str, list[int]] = defaultdict(list)
    for offset, synset in nouns.items():
        for word in synset.words:
            by_word[word.casefold()].append(offset)
    found = {}
    for index, name in enumerate(info.joinpath("imagenet_synsets.txt").read_text(encoding="utf-8").split()):
        lemmas = read["imagenet_synset_to_lemma.txt"][name].split(", ")
        candidates = [offset for lemma in lemmas for offset in by_word[lemma.casefold()]]
        best = _best(candidates, read["imagenet_synset_to_definition.txt"][name], nouns)
        if best is not None:
            found[index] = best
    return found


def _lvis_synsets(lvis: Sequence[Mapping[str, Any]], nouns: Mapping[int, Synset], senses: Path) -> dict[int, int]:
    by_lemma: dict[str, list[int]] = defaultdict(list)
    for line in senses.read_text(encoding="utf-8").splitlines():
        key, offset, _, _ = line.split()
        lemma, _, rest = key.partition("%")
        if rest.startswith("1:"):
            by_lemma[lemma].append(int(offset))
    found = {}
    for entry in lvis:
        best = _best(by_lemma[entry["synset"].split(".")[0]], entry["def"], nouns)
        if best is not None:
            found[entry["id"] - 1] = best
    return found


def _best(candidates: Sequence[int], definition: str, nouns: Mapping[int, Synset]) -> int | None:
    """Return the synset whose gloss shares most words with a definition, if they share at least a third."""
    wanted = set(re.findall(r"[a-z]+", definition.casefold()))
    scored = [
        (len(wanted & set(re.findall(r"[a-z]+", nouns[offset].gloss.casefold()))) / max(1, len(wanted)), -offset)
        for offset in candidates
    ]
    best = max(scored, default=(0.0, 0))
    return -best[1] if best[0] >= 1 / 3 else None


def _first_senses(senses: Path) -> set[tuple[str, int]]:
    """Return the nouns in their most frequent sense: `toy` is a plaything, and no dog."""
    found = set()
    for line in senses.read_text(encoding="utf-8").splitlines():
        key, offset, number, _ = line.split()
        lemma, _, rest = key.partition("%")
        if rest.startswith("1:") and number == "1":
            found.add((lemma.replace("_", " "), int(offset)))
    return found


def _kinds(
    members: Mapping[str, Mapping[int, int]], nouns: Mapping[int, Synset], first: Set[tuple[str, int]]
) -> list[tuple[str, str, list[int]]]:
    rows = []
    for dataset, synsets in members.items():
        below: dict[int, set[int]] = defaultdict(set)
        for index, offset in synsets.items():
            for above in _ancestors(offset, nouns):
                below[above].add(index)
        for offset, indices in below.items():
            words = [word for word in nouns[offset].words if (word.casefold(), offset) in first]
            if words and 2 <= len(indices) <= _MOST_MEMBERS and not set(nouns[offset].words) & _TOO_WIDE:
                rows.append((dataset, "|".join(words), sorted(indices)))
    return sorted(rows, key=lambda row: (row[0], row[2][0], -len(row[2]), row[1]))


def _ancestors(offset: int, nouns: Mapping[int, Synset]) -> set[int]:
    found: set[int] = set()
    open_ends = list(nouns[offset].above)
    while open_ends:
        above = open_ends.pop()
        if above not in found:
            found.add(above)
            open_ends += nouns[above].above
    return found


def _coco_kinds(rows: Sequence[Row]) -> list[tuple[str, str, list[int]]]:
    """Return COCO's super-categories that are words of common speech."""
    ids = {row.id: row.index for row in rows if row.dataset == "coco"}
    return [
        ("coco", words, [ids[number] for number in numbers if number in ids]) for words, numbers in _COCO_KINDS.items()
    ]


def _write_kinds(rows: Sequence[tuple[str, str, list[int]]]) -> None:
    lines = ["dataset\twords\tindices", *(f"{dataset}\t{words}\t{_ranges(at)}" for dataset, words, at in rows)]
    (TARGET / "kinds.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _ranges(indices: Sequence[int]) -> str:
    parts: list[list[int]] = []
    for index in indices:
        if parts and index == parts[-1][1] + 1:
            parts[-1][1] = index
        else:
            parts.append([index, index])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in parts)


if __name__ == "__main__":
    if len(sys.argv) != 5:
        raise SystemExit(__doc__)
    main(*map(Path, sys.argv[1:]))
