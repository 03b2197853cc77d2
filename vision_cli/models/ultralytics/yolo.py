"""Ultralytics' YOLOv8, YOLO11 and YOLO26 for the task `detect`, AGPL-3.0."""

from __future__ import annotations

from vision_cli.models.ultralytics import published
from vision_cli.models.ultralytics.family import build as build_places
from vision_cli.models.ultralytics.family import rebuild

__all__ = ["build_places", "names", "rebuild"]


def names() -> list[str]:
    """Return the networks of the family, sorted."""
    return published.names("detect")
