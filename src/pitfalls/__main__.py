"""`python -m pitfalls`, the same as `pitfalls`."""

from pitfalls.cli.main import main

if __name__ == "__main__":
    main()
