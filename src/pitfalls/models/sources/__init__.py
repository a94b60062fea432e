"""Sources of models: packaged, hub, GGUF files."""
