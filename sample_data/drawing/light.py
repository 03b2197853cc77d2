"""The light of a photo: where the sun stands, and what colour everything takes from it."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Rgb = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Light:
    """Colours are RGB, 0..1; a surface shows albedo * (ambient + sun * cosine).

    Attributes:
        toward: unit vector to the sun: right, up, away from the camera.
        visibility_m: distance at which haze has swallowed 63 % of a colour.
        clouds: share of the sky they cover, 0..1.
    """

    name: str
    zenith: Rgb
    horizon: Rgb
    sun: Rgb
    ambient: Rgb
    cloud: Rgb
    clouds: float
    visibility_m: float
    toward: tuple[float, float, float] = (0.5, 0.7, -0.5)

    def flat(self, facing: float = 0.6) -> NDArray[np.float32]:
        """Return the tint of a surface whose cosine to the sun is `facing`."""
        return np.asarray(self.ambient, np.float32) + np.asarray(self.sun, np.float32) * np.float32(facing)

    @property
    def is_dark(self) -> bool:
        """Whether lamps are on."""
        return self.name == "dusk"


_LIGHTS = {
    light.name: light
    for light in (
        Light(
            name="clear",
            zenith=(0.22, 0.44, 0.80),
            horizon=(0.70, 0.83, 0.95),
            sun=(0.66, 0.62, 0.54),
            ambient=(0.45, 0.50, 0.58),
            cloud=(1, 1, 1),
            clouds=0.2,
            visibility_m=3500,
        ),
        Light(
            name="cloudy",
            zenith=(0.30, 0.50, 0.80),
            horizon=(0.76, 0.85, 0.93),
            sun=(0.52, 0.50, 0.46),
            ambient=(0.52, 0.55, 0.60),
            cloud=(0.98, 0.98, 0.99),
            clouds=0.55,
            visibility_m=2600,
        ),
        Light(
            name="overcast",
            zenith=(0.60, 0.64, 0.69),
            horizon=(0.80, 0.82, 0.83),
            sun=(0.12, 0.12, 0.12),
            ambient=(0.74, 0.76, 0.78),
            cloud=(0.80, 0.81, 0.83),
            clouds=0.8,
            visibility_m=1300,
        ),
        Light(
            name="haze",
            zenith=(0.55, 0.66, 0.78),
            horizon=(0.88, 0.88, 0.84),
            sun=(0.40, 0.38, 0.32),
            ambient=(0.58, 0.59, 0.60),
            cloud=(0.95, 0.94, 0.92),
            clouds=0.3,
            visibility_m=1100,
        ),
        Light(
            name="sunset",
            zenith=(0.30, 0.36, 0.60),
            horizon=(0.99, 0.70, 0.44),
            sun=(0.72, 0.44, 0.22),
            ambient=(0.40, 0.38, 0.46),
            cloud=(0.99, 0.66, 0.50),
            clouds=0.45,
            visibility_m=1800,
        ),
        Light(
            name="dusk",
            zenith=(0.08, 0.11, 0.24),
            horizon=(0.38, 0.38, 0.52),
            sun=(0.13, 0.14, 0.19),
            ambient=(0.37, 0.40, 0.49),
            cloud=(0.33, 0.33, 0.44),
            clouds=0.35,
            visibility_m=1500,
        ),
    )
}
_CHANCES = {
    "summer": {"clear": 0.28, "cloudy": 0.24, "overcast": 0.16, "haze": 0.1, "sunset": 0.14, "dusk": 0.08},
    "winter": {"clear": 0.26, "cloudy": 0.18, "overcast": 0.22, "haze": 0.1, "sunset": 0.14, "dusk": 0.1},
}


def choose_light(rng: np.random.Generator, season: str, *, may_be_dark: bool) -> Light:
    """Pick a time of day and a sky; both seasons know all of them."""
    chances = _CHANCES[season]
    light = _LIGHTS[str(rng.choice(list(chances), p=list(chances.values())))]
    if light.is_dark and not may_be_dark:
        light = _LIGHTS["cloudy"]
    low = light.name in ("sunset", "dusk")
    height = rng.uniform(0.12, 0.3) if low else rng.uniform(0.35, 0.9)
    angle = rng.uniform(-1.2, 1.2) + (0 if low else np.pi * rng.integers(2))
    flat = np.sqrt(1 - height**2)
    toward = (float(flat * np.sin(angle)), float(height), float(flat * np.cos(angle)))
    return replace(
        light,
        toward=toward,
        clouds=float(np.clip(light.clouds + rng.uniform(-0.15, 0.2), 0, 1)),
        visibility_m=light.visibility_m * float(rng.uniform(0.7, 1.4)),
    )
