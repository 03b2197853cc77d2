"""Tables of the names that a user types. Looking a name up is what imports its module."""

from __future__ import annotations

import difflib
import importlib
import importlib.util
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType

from vision_cli.core.errors import MissingPartError, UsageError

_MOST_NAMED = 8
"""Of more names than that, a hint shows those that fit best."""


@dataclass(frozen=True, slots=True)
class Card:
    """One line of a table.

    Attributes:
        module: dotted path of the variant's module, imported when it is asked for.
        summary: one line for `--help` and lists.
        licence: SPDX identifier of what the variant brings in.
        extra: the extra of `vision-cli` that installs what it needs; None when the core is enough.
        needs: import names that must be found before any work starts.
    """

    module: str
    summary: str
    licence: str = "Apache-2.0"
    extra: str | None = None
    needs: tuple[str, ...] = ()


def suggestion(name: str, known: Iterator[str] | list[str] | tuple[str, ...]) -> str | None:
    """Return the known name nearest to a misspelt one in any case, or that `lr` is short for; None where none is."""
    names = {each.casefold(): each for each in reversed(list(known))}
    wanted = name.casefold()
    if matches := difflib.get_close_matches(wanted, names, n=1, cutoff=0.6):
        return names[matches[0]]
    meant = [each for folded, each in names.items() if wanted == "".join(part[:1] for part in folded.split("_"))]
    return meant[0] if len(meant) == 1 and len(wanted) > 1 else None


def listed(names: Sequence[str], shown: int = 20) -> str:
    """Return the first names in one line, and how many more there are."""
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return f"{', '.join(names[:shown])}{more}"


def hint_for(
    name: str, known: Sequence[str], *, fitting: Sequence[str] = (), listing: str | None = None, what: str = "Known"
) -> str:
    """Return what to say of an unknown name: the one that it may be, or some that there are, and where all stand.

    Args:
        name: that a user gave.
        known: every name.
        fitting: those to guess from and to show first, the likeliest first.
        listing: command that lists all; without one all are shown.
        what: begins the list.
    """
    first = [each for each in fitting if each in known]
    long = listing is not None and len(known) > _MOST_NAMED
    rest = f" `{listing}` lists all." if long else ""
    if guess := suggestion(name, first) or suggestion(name, list(known)):
        return f"Did you mean '{guess}'?{rest}"
    names = list(dict.fromkeys([*first, *known]))
    return f"{what}: {listed(names, _MOST_NAMED if long else len(names)) or 'none'}.{rest}"


def require(modules: tuple[str, ...], *, extra: str, what: str) -> None:
    """Refuse with the exact pip line when a package is not installed.

    Raises:
        MissingPartError: naming the first missing package.
    """
    for module in modules:
        if importlib.util.find_spec(module) is None:
            raise MissingPartError(
                f"{what} needs the package '{module}', which is not installed.",
                hint=f"pip install 'vision-cli[{extra}]'",
            )


class Catalogue:
    """An ordered table of cards, open to third parties through the entry point group `vision_cli.<group>`."""

    def __init__(
        self,
        what: str,
        cards: Mapping[str, Card],
        *,
        group: str | None = None,
        listing: str | None = None,
        common: Sequence[str] = (),
    ) -> None:
        """Keep the cards.

        Args:
            what: a line is called in messages.
            cards: by name.
            group: of entry points that add cards.
            listing: command that lists all of a long table.
            common: names to show first where a name is unknown.
        """
        self.what = what
        self.group = group
        self.listing = listing
        self.common = tuple(common)
        self._cards = dict(cards)

    def __iter__(self) -> Iterator[str]:
        return iter(self.cards())

    def __contains__(self, name: object) -> bool:
        return name in self.cards()

    def cards(self) -> dict[str, Card]:
        """Return every card by name: ours first, then those that other packages add."""
        cards = dict(self._cards)
        if self.group is not None:
            from importlib.metadata import entry_points  # it brings the e-mail package along

            for point in entry_points(group=f"vision_cli.{self.group}"):
                cards.setdefault(point.name, Card(point.value, f"from {point.dist.name if point.dist else '?'}"))
        return cards

    def card(self, name: str) -> Card:
        """Return one card.

        Raises:
            UsageError: the name is unknown; the message guesses.
        """
        if name in self._cards:
            return self._cards[name]
        cards = self.cards()
        if name in cards:
            return cards[name]
        raise UsageError(f"unknown {self.what} '{name}'.", hint=self.hint(name))

    def hint(self, name: str, fitting: Sequence[str] = ()) -> str:
        """Return what to say of an unknown name; see `hint_for`."""
        return hint_for(name, list(self.cards()), fitting=fitting or self.common, listing=self.listing)

    def load(self, name: str) -> ModuleType:
        """Import and return the module behind a name.

        Raises:
            UsageError: the name is unknown.
            MissingPartError: what it needs is not installed.
        """
        card = self.card(name)
        require(card.needs, extra=card.extra or "all", what=f"{self.what} '{name}'")
        return importlib.import_module(card.module)
