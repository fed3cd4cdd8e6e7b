"""``python -m dinogen`` is the command ``dinogen``."""

from dinogen.cli import main

if __name__ == "__main__":
    main()
