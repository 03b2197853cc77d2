"""Conditions become SQL: helpers are found where they are code, and nowhere else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vision_cli.core.dataset import ClassMap
from vision_cli.core.errors import UsageError
from vision_cli.views import sql_text
from vision_cli.views.conditions import Classes, alternatives, parse

CLASSES = Classes(ClassMap(("Car", "a|b", "it's", 'say "x"', "Van", "*")), {"Truck": "Car", "Misc": None})


@given(st.text("ab'\"$-/*;()\n |,1.", max_size=30))
@settings(deadline=None, max_examples=200)
def test_tokens_put_together_are_the_text(text: str) -> None:
    try:
        found = sql_text.tokens(text)
    except UsageError:
        assert set(text) & set("'\"$/")  # only these open what can stay open
    else:
        assert "".join(token.text for token in found) == text


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("'it''s'", ["string"]),
        ("E'a\\'b'", ["string"]),
        ("$$ ' $$", ["string"]),
        ("$t$ $$ $t$", ["string"]),
        ('"a""b"', ["name"]),
        ("/* /* */ ' */", ["comment"]),
        ("-- '\n1", ["comment", "space", "number"]),
        ("a::time", ["word", "sign", "word"]),
        ("1.5e3", ["number"]),
        ("größe", ["word"]),
    ],
)
def test_what_a_token_is(text: str, kinds: list[str]) -> None:
    assert [token.kind for token in sql_text.tokens(text)] == kinds


@pytest.mark.parametrize("text", ["'a", '"a', "/* a", "$$ a", "$t$ $$", "'it''s"])
def test_what_is_never_closed_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="never closes it"):
        sql_text.tokens(text)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Car", ["Car"]),
        (" Car | Van ", ["Car", "Van"]),
        ('"a|b"|Van', ["a|b", "Van"]),
        ('"say ""x"""', ['say "x"']),
        ('" spaced "', [" spaced "]),
        ('5" disk', ['5" disk']),
    ],
)
def test_alternatives(text: str, names: list[str]) -> None:
    assert alternatives(text) == names


@pytest.mark.parametrize("text", ["", "|", "Car|", "|Car", "a||b", '"a', '""', '"a"b', "  "])
def test_bad_alternatives_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="expected class names parted by"):
        alternatives(text)


@given(st.lists(st.text(min_size=1, max_size=6), min_size=1, max_size=5))
@settings(deadline=None, max_examples=100)
def test_any_quoted_names_come_back(names: list[str]) -> None:
    assert alternatives("|".join('"' + name.replace('"', '""') + '"' for name in names)) == names


def body(sql: str) -> str:
    """Return the condition in a SELECT of ours."""
    return sql.rsplit("TRY_CAST((\n", 1)[1].split("\n) AS BOOLEAN)", 1)[0]


@pytest.mark.parametrize(
    "text",
    [
        "scene = 'has(''Car'')'",
        "\"count('Car')\" = 1",
        "1 = 1 /* has('Car') */",
        "1 = 1 -- has('Car')",
        "$$has('Car')$$ = scene",
        "id IN (SELECT image_id FROM annotations GROUP BY 1 HAVING count(*) > 2)",
        "id IN (SELECT image_id FROM annotations GROUP BY 1 HAVING count(DISTINCT class) > 2)",
        "count = 3",
        "t.count('Car')",
    ],
)
def test_what_only_looks_like_a_helper_is_left_alone(text: str) -> None:
    parsed = parse(text, CLASSES).sql
    assert parsed.startswith("SELECT images.id FROM images WHERE (CASE ")
    assert body(parsed) == text


def test_helpers_become_columns_of_one_aggregation() -> None:
    parsed = parse("COUNT ( 'Car|Van' , 'w > 2' ) > 1 and has('Car|Van','w > 2') and none('*')", CLASSES)
    assert parsed.sql.count("JOIN") == 1
    assert parsed.sql.count("class_id IN (0, 4)") == 1
    assert body(parsed.sql) == "coalesce(_of._0, 0) > 1 and (coalesce(_of._0, 0) > 0) and (coalesce(_of._1, 0) = 0)"
    assert parsed.uses_annotations
    assert not parse("width > 3", CLASSES).uses_annotations
    assert parse("id in (select image_id from Annotations)", CLASSES).uses_annotations


def test_a_star_in_double_quotes_is_a_class() -> None:
    assert "class_id IN (5)" in parse("""has('"*"')""", CLASSES).sql
    assert "class_id IN" not in parse("has('*')", CLASSES).sql


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("has('car')", "no class is called 'car'", "Did you mean 'Car'?"),
        ("has('Vann')", "no class is called 'Vann'", "Did you mean 'Van'?"),
        ("has('zebra')", "no class is called 'zebra'", "Classes: Car"),
        ("has('Truck')", "the view's map calls it 'Car'", None),
        ("has('Misc')", "the view's map drops it", None),
        ("has('Car', w > 3)", "each in single quotes; got 'w'", None),
        ('has("Car")', "each in single quotes", None),
        ("has('Car' 'Van')", "each in single quotes", None),
        ("has('Car',)", "each in single quotes; got ')'", None),
        ("has()", "each in single quotes", None),
        ("has('Car', 'w > 3', 'h')", "got 3 arguments", None),
        ("max_of('Car')", "expected max_of(classes, number[, condition]), got 1", None),
        ("has('Car', 'w) or (1')", "closes a bracket", None),
        ("has('Car', '')", "is empty", None),
        ("has('Car', 'w; drop')", "';' cannot stand in it", None),
        ("", "is empty", None),
        (" -- nothing", "is empty", None),
        ("1; SELECT 2", "';' cannot stand in it", None),
        ("true) UNION SELECT 1 --", "closes a bracket ')'", None),
        ("(1", "misses a closing ')'", None),
        ("[1)", "closes a bracket ')'", None),
    ],
)
def test_what_is_refused(text: str, message: str, hint: str | None) -> None:
    with pytest.raises(UsageError) as caught:
        parse(text, CLASSES)
    assert message in caught.value.message
    assert hint is None or hint in str(caught.value.hint)
