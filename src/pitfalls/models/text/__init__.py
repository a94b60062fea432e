"""Text that is averaged over: passages, their files, and token windows."""
