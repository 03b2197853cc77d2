"""EfficientNet-Lite0 of the wheel without torch: its numbers, and an ONNX graph that computes with them."""
