"""Device over the CPU's memory that keeps the rules of an accelerator, for tests without one.

Tensors on it lie in the CPU's memory and its kernels are the CPU's, so results agree up to
rounding. But it refuses what CUDA refuses: a tensor of the CPU beside one of its own. It has random
numbers of its own, and it counts how often the host has to wait for it, and launches of kernels.
"""
