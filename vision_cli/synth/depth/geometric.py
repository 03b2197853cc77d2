"""The offline guess of depth: no network, no download, and no measurement of any single object's distance.

It draws the scene as a stage: one ground below a camera at height 1, and upright or level pieces standing on it.
Straight lines give the directions of gravity and walls, hence the horizon; a region's lines and place, and whether its
texture gets finer upwards, say whether it lies or stands; where it meets the ground says how far it is; haze moves what
has no visible foot farther away. Rooms, streets and buildings come out roughly right; plants, crowds and close-ups
become cards that face the camera. Photos from straight above and mirrors are beyond it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from vision_cli.synth.depth.evidence import Evidence, gather
from vision_cli.synth.depth.frame import ACROSS, ALONG, GRAVITY, Frame, find_frame, find_lines, horizon
from vision_cli.synth.depth.request import DepthMap, DepthRequest
from vision_cli.synth.scene import ray, rays
from vision_cli.synth.segments import members

Floats = NDArray[np.float64]

_FARTHEST = 25.0  # in heights of the camera
_SKY = 100.0
_NEAREST = 0.4
_STRETCH = 3.0  # a piece reaches at most this many times nearer or farther than its foot
_STANDS = 0.35  # how much evidence it takes to be anything but a card that faces the camera
_ALONE = 0.5  # lines in one direction only
_LIES, _FACES = 0, 3
_STRIPS = 4
_MEETS, _EDGE_ON = 0.15, 0.02
_CUT = 0.8
_PLACE, _TOUCH, _FINER = 0.55, 0.6, 0.15
_LEVEL_SHARE = 0.03  # below the horizon, in focal lengths, where a foot still tells a distance
_BEHIND, _ON = 1.25, 0.99
_GOES_ON_LEVELS, _GOES_ON_STEPS = 28.0, 6  # difference of mean colour up to which the ground goes on


def estimate(request: DepthRequest) -> DepthMap:
    """Guess the depth of a photo."""
    photo, shape = request.background.photo, request.regions.shape
    lines = find_lines(photo, request.focal_px)
    frame = find_frame(lines)
    pixels = members(request.regions)
    evidence = gather(photo, request.regions, pixels, (lines, frame), request.focal_px)
    view = rays((shape[0], shape[1]), request.focal_px)
    stage = _Stage(evidence, frame, (shape[0], shape[1]), request.focal_px)
    inverse = np.einsum("ijk,ijk->ij", stage.planes()[request.regions].astype(np.float32), view)
    nearest, farthest = (limit[request.regions].astype(np.float32) for limit in (stage.nearest, stage.farthest))
    depth = 1 / np.clip(inverse, 1 / farthest, 1 / nearest)
    return DepthMap(depth.astype(np.float32), horizon(frame.gravity, (shape[0], shape[1]), request.focal_px))


class _Stage:
    """Places regions from the photo's bottom to its top: each stands on, or hangs behind, what lies under it.

    Attributes:
        nearest: float64 (R,), least depth of each region.
        farthest: float64 (R,), largest depth.
    """

    def __init__(self, evidence: Evidence, frame: Frame, shape: tuple[int, int], focal_px: float) -> None:
        self._evidence, self._frame, self._shape, self._focal_px = evidence, frame, shape, focal_px
        self._feet = np.stack([ray((x, y), shape, focal_px) for x, y in evidence.feet])
        self._sinks = self._feet @ frame.gravity
        self._normals, self._lies = self._orient()
        self._touch = np.stack([ray((x, y), shape, focal_px) for x, y in evidence.contacts.middles])
        self._touches = np.searchsorted(evidence.contacts.pairs[:, 0], np.arange(len(evidence.areas) + 1))
        order = np.argsort(evidence.beside[:, 0], kind="stable")  # by region, longest border first
        self._around = evidence.beside[order, 1]
        self._starts = np.searchsorted(evidence.beside[order, 0], np.arange(len(evidence.areas) + 1))
        self._reached = _NEAREST  # how far anything placed so far is: what has no foot stands there
        self._m = np.zeros_like(self._normals)
        self.nearest = np.full(len(evidence.areas), _NEAREST)
        self.farthest = np.full(len(evidence.areas), _FARTHEST)

    def planes(self) -> Floats:
        """Return float64 (R, 3): m with m . ray = 1 / depth for each region."""
        placed = np.zeros(len(self._m), bool)
        for region in np.lexsort((np.arange(len(self._m)), -self._evidence.feet[:, 1])):
            self._place(int(region), placed)
            placed[region] = True
        return self._m

    def _orient(self) -> tuple[Floats, NDArray[np.bool_]]:
        """Return each region's normal and whether it lies.

        Two directions of lines span a plane. One alone leaves the choice to where the region is seen: lines that lead
        away from the camera run along a floor or ceiling where it is far above or below, else along a wall.
        """
        seen = self._evidence.lines
        upright, along, across = seen[:, GRAVITY], seen[:, ALONG], seen[:, ACROSS]
        floor = self._seen_from_above()
        scores = np.stack(
            (
                np.maximum(np.sqrt(along * across), _ALONE * across * floor) * self._on_one_side()
                + self._lies_by_place(),
                np.maximum(np.sqrt(upright * along), _ALONE * along),
                np.maximum(np.sqrt(upright * across), _ALONE * across * ~floor),
                np.full(len(seen), _STANDS),
            )
        )
        scores[:3, self._evidence.is_sky] = 0
        choice = scores.argmax(axis=0)
        lies = self._going_on(choice == _LIES, choice == _FACES)
        self._choice = np.where(lies, _LIES, choice)
        axes = self._frame.axes
        fixed = np.stack((axes[GRAVITY], axes[ACROSS], axes[ALONG], np.zeros(3)))
        facing = np.stack([self._upright(foot) for foot in self._feet])
        return np.where((self._choice == _FACES)[:, None], facing, fixed[self._choice]), lies

    def _seen_from_above(self) -> NDArray[np.bool_]:
        """Return whether a region lies rather above or below than beside the direction that leads away."""
        left, top, right, bottom = self._evidence.boxes.T
        places = zip((left + right) / 2, (top + bottom) / 2, strict=True)
        middles = np.stack([ray(place, self._shape, self._focal_px) for place in places])
        apart = np.abs(middles @ self._frame.axes.T)
        return np.asarray(apart[:, GRAVITY] > apart[:, ALONG])

    def _upright(self, sight: Floats) -> Floats:
        """Return the normal of a card that stands upright and faces the camera."""
        level = sight - (sight @ self._frame.gravity) * self._frame.gravity
        return np.asarray(level / max(float(np.linalg.norm(level)), 1e-9))

    def _going_on(self, lies: NDArray[np.bool_], undecided: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Let what lies go on in regions of its colour above it, below the horizon."""
        colours, under = self._evidence.colours, self._evidence.under
        alike = np.linalg.norm(colours - colours[under], axis=1) < _GOES_ON_LEVELS
        open_to = undecided & alike & (self._below() > 0.9) & ~self._evidence.is_sky
        for _ in range(_GOES_ON_STEPS):
            lies = lies | (open_to & lies[under])
        return lies

    def _below(self) -> Floats:
        """Return the share of each region's height that is below the horizon."""
        top, bottom = self._evidence.boxes[:, 1], self._evidence.boxes[:, 3]
        row, slope = horizon(self._frame.gravity, self._shape, self._focal_px)
        at = row + slope * (self._evidence.feet[:, 0] - (self._shape[1] - 1) / 2)
        return np.asarray(np.clip((bottom - np.maximum(top, at)) / np.maximum(bottom - top, 1), 0, 1))

    def _on_one_side(self) -> Floats:
        """Return 1 for regions above or below the horizon, 0 where it cuts them: nothing that lies is cut by it."""
        below = self._below()
        return np.asarray(np.clip((np.maximum(below, 1 - below) - _CUT) / (1 - _CUT), 0, 1))

    def _lies_by_place(self) -> Floats:
        """Return how much a region's place and texture speak for the ground."""
        left, top, right, bottom = self._evidence.boxes.T
        touches = bottom >= self._shape[0] - 2
        wide = np.minimum(1.0, (right - left) / np.maximum(bottom - top, 1))
        share = np.minimum(1.0, 4 * (right - left) / self._shape[1])
        finer = _FINER * np.tanh(self._evidence.finer_up)
        place = _PLACE * wide * share * np.where(touches, 1.0, 1 - _TOUCH)
        return np.asarray(np.square(self._below()) * (place + finer))

    def _place(self, region: int, placed: NDArray[np.bool_]) -> None:
        foot = self._feet[region]
        if self._evidence.is_sky[region]:
            depth = _SKY
            self.nearest[region] = self.farthest[region] = _SKY
        else:
            depth = float(np.clip(self._depth(region, placed), _NEAREST, _FARTHEST))
            if not self._lies[region]:
                self.nearest[region], self.farthest[region] = depth / _STRETCH, min(_STRETCH * depth, _FARTHEST)
        normal = self._normals[region]
        sight = float(normal @ foot)
        if abs(sight) < _EDGE_ON:  # seen edge on: no depth would follow from it
            normal = self._facing(foot)
            sight = float(normal @ foot)
        self._m[region] = normal / (sight * depth)

    def _facing(self, foot: Floats) -> Floats:
        return np.asarray(foot / np.linalg.norm(foot))

    def _depth(self, region: int, placed: NDArray[np.bool_]) -> float:
        """Return how far a region's foot is."""
        met = self._on_ground(region, placed)
        if met is not None:
            return met
        under = self._support(region, placed)
        own = 1 / self._sinks[region] if self._sinks[region] > _LEVEL_SHARE else self._reached
        self._reached = max(self._reached, min(own, _FARTHEST))
        if under == region:
            return float(own)
        there = 1 / max(float(self._m[under] @ self._feet[region]), 1 / _FARTHEST)
        there = float(np.clip(there, self.nearest[under], self.farthest[under]))
        return there if self._lies[under] else there * self._beyond(region, under)

    def _on_ground(self, region: int, placed: NDArray[np.bool_]) -> float | None:
        """Return how far the foot of an upright piece is by its border with what lies; None where that is little.

        A wall is seen behind furniture, and still stands where it meets the floor.
        """
        contacts, mine = self._evidence.contacts, slice(self._touches[region], self._touches[region + 1])
        below, lengths, sights = contacts.pairs[mine, 1], contacts.lengths[mine], self._touch[mine]
        ground = placed[below] & self._lies[below] & (below != region)
        normal = self._normals[region]
        sight = float(normal @ self._feet[region])
        if self._lies[region] or lengths[ground].sum() < _MEETS * lengths.sum() or abs(sight) < _EDGE_ON:
            return None
        inverse = (self._m[below[ground]] * sights[ground]).sum(axis=1)
        offsets = sights[ground] @ normal / np.maximum(inverse, 1 / _FARTHEST)
        depth = float(np.average(offsets, weights=lengths[ground])) / sight
        return depth if depth > 0 else None

    def _support(self, region: int, placed: NDArray[np.bool_]) -> int:
        """Return what a region stands on or hangs at, itself where there is nothing; strips are looked through."""
        under = int(self._evidence.under[region])
        for _ in range(_STRIPS):
            if not self._evidence.is_strip[under]:
                break
            under = int(self._evidence.under[under])
        if under == region or placed[under]:
            return under
        around = self._around[self._starts[region] : self._starts[region + 1]]
        around = around[placed[around]]
        whole = around[~self._evidence.is_strip[around]]
        return int(next(iter((*whole[:1], *around[:1])), region))

    def _beyond(self, region: int, under: int) -> float:
        """Return how many times farther a region is than the piece that it shows above."""
        boxes = self._evidence.boxes
        wider = (boxes[region, 2] - boxes[region, 0]) > 0.8 * (boxes[under, 2] - boxes[under, 0])
        same_wall = self._choice[region] == self._choice[under] != _FACES
        if self._lies[region] or same_wall or not wider:
            return _ON
        return _BEHIND + 0.5 * float(np.clip(self._evidence.haze[region] - self._evidence.haze[under], 0, 1))
