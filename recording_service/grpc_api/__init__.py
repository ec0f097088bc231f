"""The gRPC edge: the contract of `protos/recordings/v1` on one side, the core's use cases on the other."""
