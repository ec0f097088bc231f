"""What the service means: its model, its rules and its use cases. Standard library only."""
