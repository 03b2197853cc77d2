"""What the photos are of: the same motifs in both seasons, and a few of each season's own."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Motif:
    """What a photo is of.

    Attributes:
        trees: how many, least and most.
        near_m: distance of the nearest tree.
        extra: a small thing of the season, or "".
    """

    trees: tuple[int, int]
    near_m: float = 14
    mountains: float = 0.4
    houses: tuple[int, int] = (0, 0)
    lake: bool = False
    sea: bool = False
    road: bool = False
    extra: str = ""


MOTIFS = {
    "summer": (
        Motif((15, 70), mountains=1, near_m=25),
        Motif((20, 60), mountains=0.7, lake=True, near_m=12),
        Motif((50, 110), mountains=0.2, near_m=6),
        Motif((12, 40), mountains=0.5, houses=(3, 6), near_m=18),
        Motif((15, 60), mountains=0.5, road=True, houses=(0, 2)),
        Motif((3, 9), mountains=0.3, sea=True, near_m=9),
        Motif((4, 20), mountains=0.5, near_m=20, extra="walker"),
    ),
    "winter": (
        Motif((15, 70), mountains=1, near_m=25),
        Motif((20, 60), mountains=0.7, lake=True, near_m=12),
        Motif((50, 110), mountains=0.2, near_m=6),
        Motif((12, 40), mountains=0.5, houses=(3, 6), near_m=18),
        Motif((15, 60), mountains=0.5, road=True, houses=(0, 2)),
        Motif((6, 25), mountains=0.3, houses=(0, 3), extra="snowman"),
        Motif((8, 30), mountains=0.8, near_m=20, extra="skier"),
    ),
}
