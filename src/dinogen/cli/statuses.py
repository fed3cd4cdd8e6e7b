"""How the command ends, for the shell."""

DONE, FAILED, WRONG_USAGE, INTERRUPTED = 0, 1, 2, 130
