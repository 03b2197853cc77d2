"""SQL as a sequence of tokens, so that a rewriting never touches what stands in strings, names or comments.

The rules are those of PostgreSQL's scanner, which DuckDB uses: https://www.postgresql.org/docs/current/sql-syntax-lexical.html
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, cast

from vision_cli.core.errors import UsageError

Kind = Literal["space", "comment", "string", "name", "word", "number", "sign"]

_PATTERNS: dict[Kind, str] = {
    "space": r"\s+",
    "comment": r"--[^\n]*",
    "string": r"[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'",
    "name": r'"(?:[^"]|"")*"',
    "word": r"[^\W\d]\w*",
    "number": r"(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?",
    "sign": r"::|<=|>=|<>|!=|==|->>|->|\|\||.",
}
_TOKEN = re.compile("|".join(f"(?P<{kind}>{pattern})" for kind, pattern in _PATTERNS.items()), re.DOTALL)
_DOLLAR = re.compile(r"\$(?:[^\W\d]\w*)?\$")
_COMMENT_EDGE = re.compile(r"/\*|\*/")


@dataclass(frozen=True, slots=True)
class Token:
    """A piece of SQL.

    Attributes:
        kind: of it.
        text: as it stands there.
    """

    kind: Kind
    text: str

    @property
    def meaningless(self) -> bool:
        """Return whether it only parts other tokens."""
        return self.kind in ("space", "comment")


def tokens(sql: str) -> list[Token]:
    """Return the tokens; their texts put together are the SQL.

    Raises:
        UsageError: a string, a name or a comment is never closed.
    """
    return list(_tokens(sql))


def _tokens(sql: str) -> Iterator[Token]:
    at = 0
    while at < len(sql):
        token = _long(sql, at)
        if token is None:
            match = _TOKEN.match(sql, at)
            if match is None or match[0] in ("'", '"'):
                raise _unclosed(sql, at)
            token = Token(cast(Kind, match.lastgroup), match[0])  # the groups are the kinds
        yield token
        at += len(token.text)


def _long(sql: str, at: int) -> Token | None:
    """Return a comment in slashes or a string in dollars that begins here."""
    if sql.startswith("/*", at):
        return Token("comment", sql[at : _comment_end(sql, at)])
    match = _DOLLAR.match(sql, at)
    if match is None:
        return None
    end = sql.find(match[0], match.end())
    if end < 0:
        raise _unclosed(sql, at)
    return Token("string", sql[at : end + len(match[0])])


def _comment_end(sql: str, at: int) -> int:
    """Return where a comment ends; comments may stand in comments."""
    depth = 0
    for edge in _COMMENT_EDGE.finditer(sql, at):
        depth += 1 if edge[0] == "/*" else -1
        if depth == 0:
            return edge.end()
    raise _unclosed(sql, at)


def _unclosed(sql: str, at: int) -> UsageError:
    return UsageError(f"the SQL opens {sql[at : at + 20]!r} at character {at + 1} and never closes it.")


def check_expression(found: list[Token]) -> None:
    """Refuse what is no single expression: brackets that do not match, and semicolons.

    Raises:
        UsageError: saying which.
    """
    open_brackets: list[str] = []
    for token in found:
        if token.kind != "sign":
            continue
        if token.text == ";":
            raise UsageError("a condition is one expression; ';' cannot stand in it.")
        if token.text in "([{":
            open_brackets.append({"(": ")", "[": "]", "{": "}"}[token.text])
        elif token.text in ")]}" and (not open_brackets or open_brackets.pop() != token.text):
            raise UsageError(f"the condition closes a bracket '{token.text}' that it did not open.")
    if open_brackets:
        raise UsageError(f"the condition misses a closing '{open_brackets[-1]}'.")
    if all(token.meaningless for token in found):
        raise UsageError("the condition is empty.")


def words(found: list[Token]) -> set[str]:
    """Return the words and quoted names of some SQL, in lower case."""
    plain = {token.text.lower() for token in found if token.kind == "word"}
    return plain | {token.text[1:-1].replace('""', '"').lower() for token in found if token.kind == "name"}


def literal(token: Token) -> str | None:
    """Return the text that a plain string in single quotes means; None for any other token."""
    if token.kind != "string" or not token.text.startswith("'"):
        return None
    return token.text[1:-1].replace("''", "'")


def quoted_name(name: str) -> str:
    """Return a name as SQL reads it."""
    return '"' + name.replace('"', '""') + '"'
