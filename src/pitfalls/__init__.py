"""What a knowledge edit breaks: conflict and distortion in edited language models, measured."""
