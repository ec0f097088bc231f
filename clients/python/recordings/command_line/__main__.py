"""`python -m recordings.command_line`, where the script is not installed."""

from recordings.command_line.app import main

main()
