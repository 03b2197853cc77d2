"""Draw the sample photos, logos and scenes of the project with numpy, Pillow and OpenCV."""
