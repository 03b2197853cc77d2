"""Views: sources brought to one class map (`select`) and shared out into splits (`split`)."""
