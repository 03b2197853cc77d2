"""Classes that public data sets already have, found by the words that people use.

The tables (`classes.tsv`, `kinds.tsv`, made by `bench/class_table.py`) are read when first asked for, in milliseconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from vision_cli.models.known import table
from vision_cli.models.known.sets import DATASETS, Dataset
from vision_cli.models.known.words import plain, singular, stem

__all__ = ["DATASETS", "WAYS", "Dataset", "Known", "known", "known_in", "labels"]

WAYS = ("name", "synonym", "plural", "stem", "kind")
"""How a class was found, the surest first; `kind`: it is a kind of what was asked for, as a beagle is a dog."""
_ORDER = {name: at for at, name in enumerate(DATASETS)}
_LONGEST = 5
_NO_THINGS = """
a about above add aerial after age all also amount an and any app are area around as at automatic back bad be
because been before below between big both but by camera can case category check class classes classify color
colour come could count customer customers data day defect defects detect did different do does down each every
find finding for found from front full get give go good group has have help here high how i identify if image
images in inside into is it item items its kind know label large least left less like line look looking low made
make many may me mean measure more most much must my need new next no not now number object objects of off on
one only or other our out over part parts per photo photos picture pictures piece place please point position
predict problem product products put quality read recognise recognize right same say scan search see set she
should show side sides site sites size small so some something spot spread state stay still such surface take
tell than that the their them there these they thing things this those three through time to too top track two
type types under up us use used user using value very video view want was watch way we well were what when where
which while who why will with without work would wrong yes you your
"""
_NOT_A_CLASS = frozenset(_NO_THINGS.split())
"""Words of descriptions that name no thing that could be meant, though some are classes: the LVIS class `spread`."""


@dataclass(frozen=True, slots=True)
class Known:
    """One class of a public set that a word names.

    Attributes:
        word: as it was asked for.
        dataset: key of `DATASETS`.
        label: name of the class in the set.
        index: of the class, from 0, as networks of these classes answer.
        id: of the class in the set's own files.
        how: one of `WAYS`.
    """

    word: str
    dataset: str
    label: str
    index: int
    id: int
    how: str


def known(words: Sequence[str]) -> list[Known]:
    """Return the classes that each word or phrase names, the surest first, then in the order of `DATASETS`.

    A kind is only returned where no surer way finds a class of the same set.
    """
    return [found for word in words for found in _known(word)]


def known_in(text: str) -> list[Known]:
    """Return the classes that a description names, longest phrases first; words that name no thing are passed over."""
    tokens = plain(text).split()
    found: list[Known] = []
    at = 0
    while at < len(tokens):
        for length in range(min(_LONGEST, len(tokens) - at), 0, -1):
            phrase = tokens[at : at + length]
            if length == 1 and phrase[0] in _NOT_A_CLASS:
                continue
            here = _known(" ".join(phrase))
            if here:
                found += here
                at += length - 1
                break
        at += 1
    return list(dict.fromkeys(found))


def labels(dataset: str) -> tuple[str, ...]:
    """Return the names of a set's classes in the order in which networks of these classes answer.

    Raises:
        KeyError: it is not in `DATASETS`.
    """
    return tuple(entry.label for entry in table.classes()[dataset])


def _known(word: str) -> list[Known]:
    exact = plain(word)
    if not exact:
        return []
    one = singular(exact)
    by_name = table.names()
    found: dict[tuple[str, int], str] = {}
    for key, how in ((exact, ""), (one, "plural"), (stem(exact), "stem")):
        hits = table.stems().get(key, ()) if how == "stem" else by_name.get(key, ())
        for hit in hits:
            found.setdefault((hit.dataset, hit.index), how or ("name" if hit.is_label else "synonym"))
    have = {dataset for dataset, _ in found}
    for key in dict.fromkeys((exact, one)):
        for dataset, indices in table.kinds().get(key, ()):
            if dataset not in have:
                found.update({(dataset, index): "kind" for index in indices})
    rows = (_row(word, dataset, index, how) for (dataset, index), how in found.items())
    return sorted(rows, key=lambda row: (WAYS.index(row.how), _ORDER[row.dataset], row.index))


def _row(word: str, dataset: str, index: int, how: str) -> Known:
    entry = table.classes()[dataset][index]
    return Known(word, dataset, entry.label, index, entry.id, how)
