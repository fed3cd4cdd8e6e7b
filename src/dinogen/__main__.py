"""``dinogen``, and ``python -m dinogen``: loads the command and runs it."""

import signal


def main() -> None:
    """Run the command; interrupted before it is loaded, end at once, without a traceback."""
    heard = signal.getsignal(signal.SIGINT)
    # What a shell has told a job in the background to ignore stays ignored.
    if heard is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from dinogen.cli import main as run

    signal.signal(signal.SIGINT, heard)
    run()


if __name__ == "__main__":
    main()
