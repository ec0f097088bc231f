"""`python -m recording_service` is `recording-service`."""

from recording_service.cli import main

main()
