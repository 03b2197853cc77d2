"""Plain tables look as rich's do on a stream that is no terminal."""

from __future__ import annotations

import io

from hypothesis import given, settings
from hypothesis import strategies as st

from vision_cli.cli.paper import Paper

WORDS = st.text(alphabet="ab1 .-\t\n", max_size=6)
TABLES = st.integers(1, 4).flatmap(
    lambda width: st.tuples(
        st.one_of(st.just([]), st.lists(WORDS, min_size=width, max_size=width)),
        st.lists(st.lists(WORDS, min_size=width, max_size=width), max_size=3),
        st.sets(st.integers(0, width - 1)),
    )
)


def drawn(plain: bool, columns: list[str], rows: list[list[str]], right: list[int]) -> str:
    """Draw a table and a styled line."""
    stream = io.StringIO()
    paper = Paper(stream)
    paper._plain = plain
    paper.table(columns, rows, right=right)
    paper.line("  a line ", style="red")
    return stream.getvalue()


@settings(max_examples=100, derandomize=True, deadline=None)
@given(TABLES)
def test_plain_is_what_rich_draws(table: tuple[list[str], list[list[str]], set[int]]) -> None:
    columns, rows, right = table
    assert drawn(True, columns, rows, sorted(right)) == drawn(False, columns, rows, sorted(right))


def test_other_writing_is_left_to_rich() -> None:
    rows = [["日本", "1"], ["a", "22"]]
    assert drawn(True, [], rows, [1]) == drawn(False, [], rows, [1]) == "日本   1\na     22\n  a line\n"
