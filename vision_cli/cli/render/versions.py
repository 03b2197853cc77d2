"""`vision data commit`, `log`, `tag`, `diff`, `checkout`, `verify` and `gc` for people."""

from __future__ import annotations

from vision_cli.cli.paper import Paper
from vision_cli.cli.render import data as data_render
from vision_cli.cli.text import place
from vision_cli.stages.versioning.checkout import CheckoutResult
from vision_cli.stages.versioning.diff import DiffResult, title
from vision_cli.stages.versioning.upkeep import GcResult, VerifyResult
from vision_cli.stages.versioning.versions import CommitResult, LogResult, TagResult
from vision_cli.versions.diff import ClassLine, Diff
from vision_cli.versions.names import SHORT

_CLASSES = 50
_NAMES = 20


def commit(result: CommitResult, paper: Paper) -> None:
    """Draw the version that was made, or that there was nothing to do."""
    entry = result.entry
    if not result.is_new:
        paper.outcome(f"{entry.id[:SHORT]}  {entry.of}: the data is the same as in the last commit; nothing to do.")
        if result.new_files:
            paper.line(f"{result.new_files} files that the store had lost are there again.")
        return
    verb = "would commit" if result.dry_run else "committed"
    paper.outcome(f"{verb} {entry.id[:SHORT]}  {entry.of}: {entry.message}", style="" if result.dry_run else "green")
    before = result.before.id[:SHORT] if result.before else "none"
    counts = f"{entry.photos} photos, {entry.annotations} annotations, {entry.classes} classes"
    rows = [("holds", counts), ("new in the store", f"{result.new_files} files"), ("before it", before)]
    paper.pairs([*rows, ("store", place(result.store))])
    if result.missing:
        paper.line(f"note: {result.missing} files are not there; the version knows their names only.")


def log(result: LogResult, paper: Paper) -> None:
    """Draw one line a commit."""
    if not result.entries:
        paper.line("no version yet: vision data commit -m MESSAGE")
        _log_notes(result, paper)
        return
    tags: dict[str, list[str]] = {}
    for name, version in result.tags.items():
        tags.setdefault(version, []).append(name)
    rows = [
        (e.id[:SHORT], e.time, e.of, e.photos, e.annotations, ", ".join(tags.get(e.id, ())) or "-", e.message)
        for e in result.entries
    ]
    paper.table(("version", "time", "of", "photos", "annotations", "tags", "message"), rows, right=(3, 4))
    _log_notes(result, paper)


def _log_notes(result: LogResult, paper: Paper) -> None:
    for version in result.missing:
        folder = place(result.store / "commits" / version)
        paper.line(f"missing: {version[:SHORT]}: bring {folder} back from a copy, or commit the same data again.")
    for note in result.notes:
        paper.line(f"note: {note}")


def tag(result: TagResult, paper: Paper) -> None:
    """Draw what the tag names."""
    verb = "is" if result.written else "would be"
    was = f" (was {result.before[:SHORT]})" if result.before not in (None, result.entry.id) else ""
    paper.outcome(f"{result.name} {verb} {result.entry.id[:SHORT]}  {result.entry.of}: {result.entry.message}{was}")


def diff(result: DiffResult, paper: Paper) -> None:
    """Draw the counts, one table a kind; kinds without a difference are left out."""
    found = result.diff
    paper.line(f"{title(result)}  {' -> '.join(dict.fromkeys(result.of))}", style="bold")
    if found.is_empty:
        paper.line("no difference." if not found.notes else "nothing that is counted differs.")
    else:
        _counts(found, paper)
        _class_changes(found, paper)
    for note in found.notes:
        paper.line(f"note: {note}")
    if result.csv is not None:
        paper.line(f"written: {place(result.csv)}", style="green")


def _counts(found: Diff, paper: Paper) -> None:
    photos, labels = found.photos, found.annotations
    paper.heading("Photos and annotations")
    paper.table(
        ("", "before", "after", "added", "removed", "changed"),
        [
            ("photos", photos["before"], photos["after"], photos["added"], photos["removed"], _photos(found)),
            ("annotations", *(labels[key] for key in ("before", "after", "added", "removed")), _labels(found)),
        ],
        right=(1, 2, 3, 4),
    )
    if found.splits:
        paper.heading("Splits")
        paper.table((), list(found.splits.items()), right=(1,))


def _photos(found: Diff) -> str:
    words = {"renamed": "renamed", "bytes": "other bytes", "split": "other split"}
    told = [f"{found.photos[key]} {text}" for key, text in words.items() if found.photos[key]]
    return ", ".join([*told, *(f"{number} {name}" for name, number in list(found.facts.items())[:_NAMES])]) or "-"


def _labels(found: Diff) -> str:
    kinds = ", ".join(f"{number} {kind}" for kind, number in found.changed.items() if number)
    return f"{found.annotations['changed']}: {kinds}" if kinds else "-"


def _class_changes(found: Diff, paper: Paper) -> None:
    lines = [line for line in found.classes if _differs(line)]
    if lines:
        paper.heading("Classes that differ")
        heads = ("class", "before", "after", "added", "removed", "came", "left", "changed")
        rows = [(e.name, e.before, e.after, e.added, e.removed, e.came, e.left, e.changed) for e in lines[:_CLASSES]]
        paper.table(heads, rows, right=range(1, 8))
        if len(lines) > _CLASSES:
            paper.line(f"and {len(lines) - _CLASSES} more: --json")
    for text, names in (("new class", found.classes_added), ("class removed", found.classes_removed)):
        for name in names[:_NAMES]:
            paper.line(f"{text}: {name}")
    for each in found.classes_renamed[:_NAMES]:
        paper.line(f"class renamed: {each.before} -> {each.after} ({each.annotations} annotations)")
    if found.classes_reordered:
        paper.line("the order of classes changed: their ids are others.")


def _differs(line: ClassLine) -> bool:
    return any((line.added, line.removed, line.came, line.left, line.changed))


def checkout(result: CheckoutResult, paper: Paper) -> None:
    """Draw what is where now."""
    if result.conversion is not None:
        data_render.conversion(result.conversion, paper)
        return
    entry, verb = result.entry, "written" if result.written else "would write"
    paper.outcome(f"{verb}: {place(result.target)}  {entry.id[:SHORT]} of {entry.of}", style="green" * result.written)
    paper.line(f"{entry.photos} photos ({result.images}), {entry.annotations} annotations; every hash agrees.")
    if result.missing:
        paper.line(f"note: {result.missing} files were not there when it was committed.")


def verify(result: VerifyResult, paper: Paper) -> None:
    """Draw what is damaged."""
    for line in result.problems:
        paper.line(line, style="red")
    verdict = f"{len(result.problems)} problems" if result.problems else "all as committed"
    paper.outcome(
        f"{result.versions} versions, {result.contents} files: {verdict}.", style="" if result.problems else "green"
    )


def gc(result: GcResult, paper: Paper) -> None:
    """Draw what was removed."""
    verb = "removed" if result.removed else "would remove"
    more = [(result.versions, "unfinished versions"), (result.trees, "photo folders"), (result.leftovers, "leftovers")]
    told = "".join(f", {number} {what}" for number, what in more if number)
    for problem in result.problems:
        paper.line(problem, style="red")
    kept = "; no file of a photo: what these versions need is not known" if result.problems else ""
    paper.outcome(f"{verb} {result.contents} files ({result.bytes / 1e6:.1f} MB){told}{kept}.")
