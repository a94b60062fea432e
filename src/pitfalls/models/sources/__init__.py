"""Model names, and the folders they stand for: packaged, on the hub, GGUF."""
