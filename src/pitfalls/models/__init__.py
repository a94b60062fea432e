"""The window on language models: loading, tokens, tail replay, patches, second moments."""
