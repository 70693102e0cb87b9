"""`python -m rekstream` is `rekstream`."""

from rekstream.cli import main

if __name__ == "__main__":
    main()
