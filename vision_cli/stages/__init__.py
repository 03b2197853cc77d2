"""One function a step of the life cycle: a typed request in, a frozen result out. Here the rooms meet."""
