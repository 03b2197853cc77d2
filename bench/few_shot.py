"""Few-shot accuracy, calibration and `none of these` on photos in class folders with splits: the figures of the docs.

    python bench/few_shot.py ../shared/data/clothing_small ../shared/data/raccoon_voc ../shared/data/coco128_train

Draws have the seeds 0/0 to 0/4, fixed before anything was measured; photos are drawn from `train`, and all of `val` and
`test` are judged. `one look` is the network's own middle crop, `three looks` what `vision classes` does. The first 30
photos of each further folder are of none of the classes.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

from vision_cli.core import project
from vision_cli.core.progress import Silent
from vision_cli.few_shot import heads, likeness, shots
from vision_cli.few_shot.heads import Floats, Ids, Rows
from vision_cli.stages import data
from vision_cli.stages.few_shot import describing, fitted

SHOTS, DRAWS, SEED, KNOWN = (1, 5, 10, 20), 5, 0, 0.5
BINS = 10


def main() -> None:
    """Print three tables."""
    dataset = data.load_folder(project.load(), Path(sys.argv[1])).dataset
    splits = np.array(dataset.images["split"].to_pylist())
    describer = describing.open_describer(describing.DEFAULT, Silent(), offline=True)
    paths, classes = dataset.paths(), dataset.class_ids()
    looks = {
        "one look": describer.engines[0].embed(paths, Silent()).vectors,
        "three looks": describer.describe(paths, Silent()).vectors,
    }
    learn, judge = splits == "train", splits != "train"
    print("k-shot accuracy, mean ± standard deviation over draws")
    for name, rows in looks.items():
        for head in heads.HEADS:
            print(f"  {name:12} {head:13}", *_accuracies(head, rows, classes, learn, judge))
    print("calibration and none of these, logistic, three looks")
    for k in SHOTS[1:]:
        print(f"  {k:3} photos:", _calibration(looks["three looks"], classes, (learn, judge), k, dataset.classes.names))
    others = {folder: describer.describe(_some(Path(folder)), Silent()).vectors for folder in sys.argv[2:]}
    for k in (3, 5, 10):
        print(f"  {k:3} photos:", *_others(looks["three looks"], classes, learn, k, others))
        print(
            f"  {k:3} photos, half of the classes unknown:", _unknown(looks["three looks"], classes, (learn, judge), k)
        )


def _accuracies(head: str, rows: Rows, classes: Ids, learn: Ids, judge: Ids) -> list[str]:
    found = []
    for k in SHOTS:
        start = time.process_time()
        trial = shots.trial(head, (rows[learn], classes[learn]), (rows[judge], classes[judge]), k, (SEED, DRAWS))
        cost = 1000 * (time.process_time() - start) / DRAWS
        found.append(f"{k}: {trial.accuracies.mean():.3f} ± {trial.accuracies.std(ddof=1):.3f} ({cost:.0f} ms)")
    return found


def _drawn(classes: Ids, learn: Ids, k: int, number: int) -> Ids:
    rows = np.flatnonzero(learn)
    size = int(classes.max()) + 1
    return np.concatenate([rows[each[:k]] for each in shots.draw(classes[rows], size, SEED, number)])


def _calibration(rows: Rows, classes: Ids, parts: tuple[Ids, Ids], k: int, names: tuple[str, ...]) -> str:
    gaps, plain, refused, times = [], [], [], []
    for number in range(DRAWS):
        some = _drawn(classes, parts[0], k, number)
        start = time.process_time()
        model = fitted.fit(names, "logistic", rows[some], classes[some])
        times.append(time.process_time() - start)
        truth = classes[parts[1]]
        gaps.append(_ece(model.scores(rows[parts[1]]), truth))
        logits = model.head.logits(rows[parts[1]])
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        plain.append(_ece(powers / powers.sum(axis=1, keepdims=True), truth))
        refused.append(model.none(rows[parts[1]]).mean())
    return (
        f"ECE {np.mean(gaps):.3f} (without temperature {np.mean(plain):.3f}), photos of the classes refused "
        f"{np.mean(refused):.3f}, fit and calibration {np.mean(times):.2f} s"
    )


def _ece(scores: Floats, truth: Ids) -> float:
    """Return the expected calibration error in ten bins (Guo et al. 2017)."""
    sure, right = scores.max(axis=1), scores.argmax(axis=1) == truth
    place = np.minimum((sure * BINS).astype(int), BINS - 1)
    return float(sum(abs((sure - right)[place == at].sum()) for at in range(BINS)) / len(truth))


def _unknown(rows: Rows, classes: Ids, parts: tuple[Ids, Ids], k: int) -> str:
    areas, kept, refused, size = [], [], [], int(classes.max()) + 1
    for number in range(2 * DRAWS):
        known = np.sort(np.random.default_rng([99, number]).permutation(size)[: int(KNOWN * size)])
        some = _drawn(classes, parts[0], k, number)
        some = some[np.isin(classes[some], known)]
        own = np.searchsorted(known, classes[some])
        like = likeness.fit(rows[some], own, len(known)).of(rows[parts[1]])
        limit = likeness.threshold(likeness.left_out(rows[some], own, len(known)))
        inside = np.isin(classes[parts[1]], known)
        areas.append(_area(like[inside], like[~inside]))
        kept.append((like[inside] >= (limit or 0)).mean())
        refused.append((like[~inside] < (limit or 0)).mean())
    return f"AUC {np.mean(areas):.2f}, known kept {np.mean(kept):.2f}, unknown refused {np.mean(refused):.2f}"


def _some(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.jpg"))[:30]


def _others(rows: Rows, classes: Ids, learn: Ids, k: int, others: dict[str, Rows]) -> list[str]:
    found: dict[str, list[float]] = {name: [] for name in others}
    for number in range(DRAWS):
        some = _drawn(classes, learn, k, number)
        size = int(classes.max()) + 1
        where = likeness.fit(rows[some], classes[some], size)
        limit = likeness.threshold(likeness.left_out(rows[some], classes[some], size)) or 0.0
        for name, vectors in others.items():
            found[name].append(float((where.of(vectors) < limit).mean()))
    return [f"{Path(name).name} refused {np.mean(values):.2f}" for name, values in found.items()]


def _area(inside: Floats, outside: Floats) -> float:
    """Return the share of pairs in which the known photo is the more alike one."""
    return float((inside[:, None] > outside[None]).mean())


if __name__ == "__main__":
    main()
