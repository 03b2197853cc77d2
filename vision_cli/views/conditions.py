"""The conditions of views: SQL over the columns of `images`, with helpers over each photo's annotations.

    count('Car|Van|Truck', 'occluded >= 1') >= 2 and has('Pedestrian') and scene = 'residential'

Each helper becomes a column of one aggregation over `annotations`, joined to `images` once: no query is run a photo.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from vision_cli.core.catalogue import listed, suggestion
from vision_cli.core.dataset import ClassMap
from vision_cli.core.errors import UsageError
from vision_cli.views import sql_text
from vision_cli.views.sql_text import Token

ANY_CLASS = "*"
NO_TRUTH = "no truth value: "
"""What the engine's message of a condition that is neither true nor false begins with; its type follows."""
_SIZES = frozenset({"share", "box_px"})
_NAME = re.compile(r'\s*(?:"((?:[^"]|"")+)"|([^"|\s][^|]*?))\s*(\||\Z)')


@dataclass(frozen=True, slots=True)
class Helper:
    """A function over the annotations of a photo.

    Attributes:
        usage: how it is written.
        meaning: one line.
        aggregate: SQL with `{value}` for its second argument.
        result: SQL with `{column}` for the aggregate, for photos without annotation, too.
        valued: its second argument is a number of each annotation; the condition is the third.
    """

    usage: str
    meaning: str
    aggregate: str
    result: str
    valued: bool = False


HELPERS: dict[str, Helper] = {
    "count": Helper(
        "count(classes[, condition])", "how many annotations of these classes", "count(*)", "coalesce({column}, 0)"
    ),
    "has": Helper("has(classes[, condition])", "whether there is one", "count(*)", "(coalesce({column}, 0) > 0)"),
    "none": Helper("none(classes[, condition])", "whether there is none", "count(*)", "(coalesce({column}, 0) = 0)"),
    "min_of": Helper(
        "min_of(classes, number[, condition])",
        "the lowest value, null without annotation",
        "min({value})",
        "{column}",
        True,
    ),
    "max_of": Helper(
        "max_of(classes, number[, condition])",
        "the highest value, null without annotation",
        "max({value})",
        "{column}",
        True,
    ),
    "sum_of": Helper(
        "sum_of(classes, number[, condition])",
        "the sum, 0 without annotation",
        "sum({value})",
        "coalesce({column}, 0)",
        True,
    ),
}
"""What a condition may ask of a photo's annotations; `classes` and the rest are texts in single quotes."""

_TRUTHS = frozenset({"has", "none"})


@dataclass(frozen=True, slots=True)
class Classes:
    """The names that a condition may use.

    Attributes:
        map: of the view.
        mapped: what the view's `map` makes of names of the sources.
    """

    map: ClassMap
    mapped: dict[str, str | None]

    def ids(self, text: str) -> list[int] | None:
        """Return the class ids that a text such as `Car|"a|b"` names; None for any class.

        Raises:
            UsageError: a name is empty or unknown.
        """
        if text.strip() == ANY_CLASS:
            return None
        return sorted({self._id(name) for name in alternatives(text)})

    def _id(self, name: str) -> int:
        if name in self.map.names:
            return self.map.names.index(name)
        if name in self.mapped:
            target = self.mapped[name]
            fate = "drops it" if target is None else f"calls it '{target}'"
            raise UsageError(f"the view's map {fate}: no class is called '{name}' here.")
        folded = {known.casefold(): known for known in reversed(self.map.names)}
        near = suggestion(name.casefold(), list(folded))
        rest = (
            "The view's map drops the classes that it does not name. " if self.mapped.get(ANY_CLASS, "") is None else ""
        )
        known = f"Did you mean '{folded[near]}'?" if near else f"Classes: {listed(self.map.names) or 'none'}."
        hint = f"{rest}{known}"
        raise UsageError(f"no class is called '{name}'.", hint=hint)


def alternatives(text: str) -> list[str]:
    """Return the class names of a text: parted by `|`; a name in double quotes may hold one.

    Raises:
        UsageError: a name is empty, or a quote is not closed.
    """
    names, at, more = [], 0, "|"
    while more:
        match = _NAME.match(text, at)
        if match is None:
            raise UsageError(
                f"{text!r}: expected class names parted by '|'.", hint="Put a name that holds '|' in double quotes."
            )
        names.append(match[2] if match[1] is None else match[1].replace('""', '"'))
        at, more = match.end(), match[3]
    return names


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition as SQL.

    Attributes:
        sql: one SELECT of the ids of the photos that it keeps.
        uses_annotations: whether it asks for them.
    """

    sql: str
    uses_annotations: bool


def parse(text: str, classes: Classes, *, inclusive: bool = False) -> Condition:
    """Turn a condition into SQL.

    Args:
        text: the condition.
        classes: that it may name.
        inclusive: boxes count their last pixel, which `box_px` and `share` have to know.

    Raises:
        UsageError: it is no single expression, or misuses a helper.
    """
    rewriter = _Rewriter(sql_text.tokens(text), classes, [])
    sql_text.check_expression(rewriter.tokens)
    rewritten = rewriter.rewrite()
    sql = "SELECT images.id FROM images"
    if rewriter.aggregates:
        sql += f" LEFT JOIN ({_aggregation(rewriter.aggregates, inclusive)}) AS _of ON _of._image = images.id"
    inside = {"annotations"} & sql_text.words(rewriter.tokens)
    # the line break ends a comment that the condition may end with
    return Condition(f"{sql} WHERE {_truth(rewritten)}", bool(rewriter.aggregates or inside))


def _truth(expression: str) -> str:
    """Return an expression that fails where its type is no truth value: SQL would take any number but 0 for true.

    DuckDB knows the type before it runs and drops the branch that does not apply.
    """
    inside = f"(\n{expression}\n)"
    good = f"typeof({inside}) IN ('BOOLEAN', '\"NULL\"')"
    return f"(CASE WHEN {good} THEN TRY_CAST({inside} AS BOOLEAN) ELSE error('{NO_TRUTH}' || typeof({inside})) END)"


def _aggregation(aggregates: Sequence[str], inclusive: bool) -> str:
    columns = ", ".join(f"{sql} AS _{index}" for index, sql in enumerate(aggregates))
    found: set[str] = set()
    for sql in aggregates:
        found |= sql_text.words(sql_text.tokens(sql))
    table = "annotations"
    if found & _SIZES:
        more = 1 if inclusive else 0
        sizes = "SELECT id AS _image, CAST(width AS DOUBLE) * height AS image_px FROM images"
        boxes = f"SELECT annotations.*, (w + {more}) * (h + {more}) AS box_px, _sizes.image_px FROM annotations"  # noqa: S608  # runs in the sandbox
        joined = f"{boxes} JOIN ({sizes}) AS _sizes ON _sizes._image = annotations.image_id"
        table = f"(SELECT *, box_px / nullif(image_px, 0) AS share FROM ({joined}) AS _joined) AS annotations"  # noqa: S608
    return f"SELECT image_id AS _image, {columns} FROM {table} GROUP BY image_id"  # noqa: S608


@dataclass(slots=True)
class _Rewriter:
    """Replaces the calls of helpers in a condition.

    Attributes:
        tokens: of the condition.
        classes: that it may name.
        aggregates: SQL of each distinct call.
    """

    tokens: list[Token]
    classes: Classes
    aggregates: list[str]

    def rewrite(self) -> str:
        """Return the condition with a column in place of each call."""
        parts, at = [], 0
        while at < len(self.tokens):
            token = self.tokens[at]
            name = token.text.lower()
            arguments = self._arguments(at) if token.kind == "word" and name in HELPERS else None
            if arguments is None:
                parts.append(token.text)
                at += 1
            else:
                texts, end = arguments
                parts.append(self._call(name, texts))
                if self._is_asked_bare(at, end):
                    whole = "".join(each.text for each in self.tokens[at:end])
                    hint = f"Compare it, as in {whole} >= 1."
                    raise UsageError(f"{whole} gives a number, which is neither true nor false.", hint=hint)
                at = end
        return "".join(parts)

    def _is_asked_bare(self, at: int, end: int) -> bool:
        """Return whether a call that gives a number stands where something true or false belongs."""
        words = [token.text.lower() for token in self.tokens if token.kind == "word"]
        if self.tokens[at].text.lower() in _TRUTHS or "between" in words:  # whose `and` joins numbers
            return False
        before = next((token.text.lower() for token in reversed(self.tokens[:at]) if not token.meaningless), "")
        behind = next((token.text.lower() for token in self.tokens[end:] if not token.meaningless), "")
        return before in ("", "and", "or", "not") and behind in ("", "and", "or")

    def _arguments(self, at: int) -> tuple[list[str], int] | None:
        """Return the texts between the brackets and the place behind; None if this is no call of ours.

        DuckDB's own `count(*)` in a subquery is left alone: ours begins with a text.
        """
        name, found, expect_text = self.tokens[at].text.lower(), [], True
        before = [token for token in self.tokens[:at] if not token.meaningless]
        if before and before[-1].text == ".":
            return None
        rest = ((index, token) for index, token in enumerate(self.tokens[at + 1 :], at + 1) if not token.meaningless)
        if next(rest, (0, Token("sign", "")))[1].text != "(":
            return None
        for index, token in rest:
            text = sql_text.literal(token)
            if expect_text and text is not None:
                found.append(text)
            elif expect_text or token.text not in (",", ")"):
                if name == "count" and not found:
                    return None
                raise UsageError(f"expected {HELPERS[name].usage}, each in single quotes; got {token.text!r}.")
            elif token.text == ")":
                return found, index + 1
            expect_text = not expect_text
        return None

    def _call(self, name: str, texts: list[str]) -> str:
        helper = HELPERS[name]
        least = 2 if helper.valued else 1
        if not least <= len(texts) <= least + 1:
            raise UsageError(f"expected {helper.usage}, got {len(texts)} arguments.")
        value = self._expression(texts[1]) if helper.valued else ""
        condition = _truth(self._expression(texts[least])) if len(texts) > least else None
        tests = self._tests(self.classes.ids(texts[0]), condition)
        only = f" FILTER (WHERE {' AND '.join(tests)})" if tests else ""
        aggregate = f"{helper.aggregate.format(value=value)}{only}"
        if aggregate not in self.aggregates:
            self.aggregates.append(aggregate)
        return helper.result.format(column=f"_of._{self.aggregates.index(aggregate)}")

    def _tests(self, ids: list[int] | None, condition: str | None) -> list[str]:
        tests = [] if ids is None else [f"class_id IN ({', '.join(map(str, ids))})"]
        return tests if condition is None else [*tests, condition]

    def _expression(self, text: str) -> str:
        """Return an expression over the columns of `annotations`, in brackets."""
        found = sql_text.tokens(text)
        sql_text.check_expression(found)
        return f"(\n{text}\n)"
