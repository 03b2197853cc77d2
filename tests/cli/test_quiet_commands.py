"""`--quiet`: what came of a command in one line; a question is answered in full, and so is a no."""

from __future__ import annotations

import json

import pytest
from PIL import Image

from vision_cli.cli.commands.classes import COMMANDS as CLASSES
from vision_cli.cli.commands.config import app as config
from vision_cli.cli.commands.data import COMMANDS as DATA
from vision_cli.cli.commands.data.gold import COMMANDS as GOLD
from vision_cli.cli.commands.data.label import COMMANDS as LABEL
from vision_cli.cli.commands.synth import COMMANDS as SYNTH
from vision_cli.cli.table import COMMANDS

LINE = {
    "init --data photos": "wrote vision.yaml",
    "data check photos --fast": "checks: 0 errors",
    "data fix photos mended --dry-run": "would write: mended",
    "data convert photos out --to yolo --allow-loss all --dry-run": "would write: out",
    "data convert photos out --to vision": "written: out",
    "data view": "8 photos",
    "data stats": "8 photos",
    "data show --out page": "written: page",
    "data query SELECT_1 --out rows.csv": "1 rows: rows.csv",
    "data commit -m first": "committed ",
    "data commit -m same": "nothing to do",
    "data tag v1": "v1 ",
    "data checkout v1 old": "written: old",
    "data verify": "all as committed",
    "data gc --dry-run": "would remove 0 files",
    "data label next new --plain --pick 2 --by random --out next.csv": "written: next.csv",
    "data label export boxes.csv --to labelstudio --out tasks": "written: tasks",
    "data label import ann.json --tasks tasks --into in --to vision": "written: in",
    "data agreement ann.json bob.json --consensus agreed --to vision --images none": "written: agreed",
    "data gold mark all": "data.gold",
    "task suggest crop --task classify --write --project plan.yaml": "wrote plan.yaml",
    "embed photos --to vectors.parquet": "8 photos, 1280 numbers each: vectors.parquet",
    "classes add cat photos/cat": "4 photos added to 'cat'",
    "classes add dog photos/dog": "4 photos added to 'dog'",
    "classes remove dog photos/dog/0.png": "1 photo of 'dog' taken out",
    "classes rename dog hound": "'dog' is called 'hound' now",
    "classes merge pet cat hound --dry-run": "would be: 'cat', 'hound' went into 'pet'",
    "classes set --head svm": "set: head svm",
    "classes write model --dry-run": "would write: model",
    "synth logos --logos marks --backgrounds walls -n 2 --workers 1": "written: synth/logos/coco",
    "synth paste --objects marks --backgrounds walls -n 2 --workers 1": "written: synth/paste/coco",
    "synth classify --objects marks --backgrounds walls -n 2 --workers 1": "written: synth/classify/imagefolder",
}
"""Commands that do something, and what their one line says; in this order."""

ANSWER = (
    "data detect photos",
    "data query SELECT_1",
    "data log",
    "data diff v1",
    "data cost --photos 9",
    "data agreement ann.json bob.json",
    "data gold score ann=ann.json --gold boxes.csv",
    "data stats --csv",
    "data check --list",
    "data label next new --plain --pick 2 --by random",
    "classes list",
    "classes show cat",
    "config show",
    "config schema",
    "find --like photos/cat/1.png photos --number 3",
    "models list",
    "models list --task semantic",
    "models show yolo11n",
    "metrics list detect",
    "data formats",
    "augment show",
)
"""Commands that are asked something: the same words with and without --quiet."""

GROUPS = ("data label", "data gold")
TRAINED = {"train", "tune", "eval", "export", "predict", "explain", "report", "crossval", "compare"}
"""They need a model: `stages` tests them."""
SLOW = {"doctor"}
"""It looks at the machine; what it finds may change between two calls."""
NETWORK = {"synth distance", "synth tune"}
"""They need torch; tests of their own."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Photos of two classes, boxes on two of them, and two people who said the same of those."""
    root = tmp_path_factory.mktemp("quiet")
    rows = ["path,label,xmin,ymin,xmax,ymax"]
    for number in range(8):
        path = root / "photos" / ("cat" if number % 2 else "dog") / f"{number}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.effect_noise((40, 30), 20 + number).convert("RGB").save(path)
        rows.append(f"photos/{path.parent.name}/{number}.png,car,5,5,25,25")
    (root / "new").mkdir()
    for name in "abc":
        Image.new("RGB", (40, 30), (90, 60, ord(name))).save(root / "new" / f"{name}.png")
    for name, mode, size in (("marks/kiwi.png", "RGBA", (60, 60)), ("walls/wall.png", "RGB", (160, 120))):
        (root / name).parent.mkdir()
        picture = Image.new(mode, size)
        picture.paste((200, 90, 40) + (255,) * (mode == "RGBA"), (10, 10, 45, 50))
        picture.save(root / name)
    (root / "boxes.csv").write_text("\n".join(rows[:3]) + "\n")
    return root


@pytest.fixture(scope="module")
def lines(folder):
    """What each command of LINE said, typed in order in one project."""
    from contextlib import redirect_stderr, redirect_stdout
    from io import StringIO

    from vision_cli.cli.boundary import run

    said = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for words in LINE:
            if words.startswith("data label import"):
                answer(folder)
            out, err = StringIO(), StringIO()
            with redirect_stdout(out), redirect_stderr(err):
                code = run([*split(words), "--quiet"])
            said[words] = (code, out.getvalue(), err.getvalue())
    return said


def split(words):
    return [word.replace("SELECT_1", "SELECT 1 AS one") for word in words.split()]


def answer(folder):
    for who in ("ann", "bob"):
        tasks = json.loads((folder / "tasks/tasks.json").read_text())
        for number, task in enumerate(tasks):
            shown = task["predictions"][0]["result"]
            task.update(id=number, annotations=[{"id": number, "completed_by": {"email": who}, "result": shown}])
        (folder / f"{who}.json").write_text(json.dumps(tasks))


@pytest.mark.parametrize("words", LINE)
def test_what_came_of_it_is_one_line(lines, words):
    code, out, err = lines[words]
    assert code == 0, err
    assert out.count("\n") == 1
    assert LINE[words] in out
    assert [line for line in err.splitlines() if not line.startswith("warning:")] == []


@pytest.mark.parametrize("words", ANSWER)
def test_a_question_is_answered_in_full(vision, lines, folder, monkeypatch, words):
    monkeypatch.chdir(folder)
    full, brief = vision(*split(words)), vision(*split(words), "-q")
    assert full.code == brief.code == 0, full.err
    assert brief.out == full.out != ""


def test_a_distance_is_told_in_full(vision, tmp_path, monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.chdir(tmp_path)
    for number in range(40):
        path = tmp_path / ("real" if number % 2 else "made") / f"{number}.png"
        path.parent.mkdir(exist_ok=True)
        Image.effect_noise((40, 30), 20 + number).convert("RGB").save(path)
    full, brief = vision("synth", "distance", "made", "real"), vision("synth", "distance", "made", "real", "-q")
    assert full.code == brief.code == 0, full.err
    assert brief.out == full.out
    assert "How far from real" in full.out


def test_a_no_is_told_in_full_with_the_way_out(vision, folder, monkeypatch):
    monkeypatch.chdir(folder)
    called = vision("data", "convert", "boxes.csv", "no", "--to", "imagefolder", "-q")
    assert called.code == 4
    assert "Nothing was written" in called.out
    assert "hint: --allow-loss" in called.out


def test_every_command_is_in_the_table():
    said = {" ".join(words.split()[: 3 if words.startswith(GROUPS) else 2]) for words in (*LINE, *ANSWER)} | NETWORK
    known = {f"data {name}" for name in DATA.keys() - {"label", "gold"}}
    known |= {f"synth {name}" for name in SYNTH} | {f"classes {name}" for name in CLASSES}
    known |= {f"data label {name}" for name in LABEL} | {f"data gold {name}" for name in GOLD}
    known |= {f"config {each.name or each.callback.__name__}" for each in config.registered_commands} - {"config check"}
    assert known <= said
    assert {words.split()[0] for words in said} | TRAINED | SLOW == set(COMMANDS)
