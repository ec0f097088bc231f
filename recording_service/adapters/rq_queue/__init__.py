"""The doorbell on RQ: `queue` rings, `job` says what a bell may run, `worker` hears."""
