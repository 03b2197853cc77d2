"""`vision models pull | bundle | verify` for people."""

from __future__ import annotations

from vision_cli.cli.paper import Paper
from vision_cli.cli.sizes import readable
from vision_cli.cli.text import place
from vision_cli.stages.project.bundles import Bundle, Unpacked
from vision_cli.stages.project.weight_checks import Verified
from vision_cli.stages.project.weight_files import CHANGED, UNKNOWN, PulledAll

_SHA_CHARS = 12
_SAID = {
    "publisher": "as published",
    "download": "as it came",
    "bundle": "as its manifest says",
    "": "nobody said what it should be",
}


def pulled(result: PulledAll, paper: Paper) -> None:
    """Draw one line a file."""
    rows = [
        (each.name, readable(each.size_bytes), each.sha256[:_SHA_CHARS], each.licence, str(each.file))
        for each in result.files
    ]
    paper.table(("weights", "size", "sha256", "licence", "file"), rows, right=(1,))
    fetched = [each for each in result.files if not each.was_here]
    total = readable(sum(each.size_bytes for each in fetched))
    paper.line()
    size = f" ({total})" if fetched else ""
    paper.outcome(f"{len(fetched)} fetched{size}, {len(result.files) - len(fetched)} here already")


def bundled(result: Bundle, paper: Paper) -> None:
    """Draw what is in a bundle."""
    rows = [(each.name, readable(each.size_bytes), each.licence) for each in result.weights]
    paper.table(("weights", "size", "licence"), rows, right=(1,))
    paper.line()
    for name in result.left_out:
        paper.line(f"{name} comes with vision-cli[train] and is not packed")
    paper.outcome(f"{place(result.file)}: {readable(result.size_bytes)}, {_files(len(result.weights))}")
    paper.line(f"on the other machine: vision models bundle --unpack {result.file.name}")


def unpacked(result: Unpacked, paper: Paper) -> None:
    """Draw what came out of a bundle."""
    for name in result.added:
        paper.line(f"{name}: added")
    for name in result.there:
        paper.line(f"{name}: was there, the same")
    paper.outcome(f"{_files(len(result.added))} added to {result.folder}, {len(result.there)} there already")


def verified(result: Verified, paper: Paper) -> None:
    """Draw one line a file, and what came of it."""
    for checked in result.places:
        paper.line(str(place(checked.place)), style="bold")
        rows = [
            (
                each.state,
                each.file,
                readable(each.size_bytes),
                each.sha256[:_SHA_CHARS],
                _said(each.state, each.said_by),
            )
            for each in checked.files
        ]
        styles = ["red" if each.state == CHANGED else "" for each in checked.files]
        if rows:
            paper.table((), rows, right=(2,), style_of=styles)
        else:
            paper.line("no weights are here")
    paper.line()
    count = {
        state: sum(each.state == state for at in result.places for each in at.files) for state in (CHANGED, UNKNOWN)
    }
    total = sum(len(checked.files) for checked in result.places)
    unknown = f", {count[UNKNOWN]} that nobody said anything of" if count[UNKNOWN] else ""
    paper.outcome(f"{_files(total)}, {count[CHANGED]} changed{unknown}")


def _files(count: int) -> str:
    return f"{count} file" if count == 1 else f"{count} files"


def _said(state: str, said_by: str) -> str:
    return f"is not {_SAID[said_by]}" if state == CHANGED else _SAID[said_by]
