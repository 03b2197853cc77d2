"""Ultralytics' YOLO: its own training in a process of its own, its networks as graphs of plain operations here."""
