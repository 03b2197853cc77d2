"""Why a network answers what it answers: maps of where the evidence for one score lies. The table imports no torch.

Each module has `heat(question, tell) -> float32 (h, w)`: the evidence at the places of a layer's map, 0 where there is
none. Where a photo's pixels lie in it is up to the caller.
"""

from __future__ import annotations

from vision_cli.core.catalogue import Card, Catalogue

CAM, GRADCAM, HIRESCAM, SCORECAM = "cam", "gradcam", "hirescam", "scorecam"

METHODS = Catalogue(
    "method",
    {
        GRADCAM: Card(
            "vision_cli.models.explaining.gradcam",
            "Channels weighted by the mean of the score's gradient (Selvaraju et al. 2017)",
            extra="train",
            needs=("torch",),
        ),
        SCORECAM: Card(
            "vision_cli.models.explaining.scorecam",
            "Channels weighted by the score of the photo seen through each (Wang et al. 2020): no gradients, slow",
            extra="train",
            needs=("torch",),
        ),
        HIRESCAM: Card(
            "vision_cli.models.explaining.hirescam",
            "Gradient times map, place by place (Draelos and Carin 2020): tells objects of one class apart",
            extra="train",
            needs=("torch",),
        ),
        CAM: Card(
            "vision_cli.models.explaining.cam",
            "The shares of each place that add up to the score, where it is linear in the mean map (Zhou et al. 2016)",
            extra="train",
            needs=("torch",),
        ),
    },
)
