"""With what a command, or a part of `serve`, ends (sysexits.h)."""

#: The configuration is wrong: starting again without a change is of no use.
EXIT_CONFIGURATION = 78
#: Something this service stands on is not there.
EXIT_UNAVAILABLE = 69
#: Ended by Ctrl-C before it was done (128 and the signal's number, as shells have it).
EXIT_INTERRUPTED = 130
