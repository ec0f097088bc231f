"""For all tests alike."""

import signal

# A run in the background of a script ignores Ctrl-C, and whatever it starts inherits that: tests of Ctrl-C would wait.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
