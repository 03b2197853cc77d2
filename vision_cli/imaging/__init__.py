"""Read, write, resize, compare and draw photos: the only room that knows OpenCV and Pillow."""
