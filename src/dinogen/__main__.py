"""The entry point of ``dinogen`` and ``python -m dinogen``."""

import signal


def main() -> None:
    """Load the command and run it. Ctrl-C while it loads ends the process without a traceback."""
    handler = signal.getsignal(signal.SIGINT)
    # A shell makes background jobs ignore Ctrl-C; it stays ignored.
    if handler is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from dinogen.cli.main import run_command

    signal.signal(signal.SIGINT, handler)
    run_command()


if __name__ == "__main__":
    main()
