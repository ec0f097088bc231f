"""The flow of the service before this one, in process: look for the key, enqueue, set the key.

That it set a key at all is what this service is free of (design.md §1); here it is the measure of speed. It commits to
nothing but Redis, and has no caller but its own threads.
"""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from redis import Redis
from rq import Queue, Retry

#: What a dedup key is called, and how long it lives, in seconds.
KEY_PREFIX, KEY_SECONDS = "predecessor:queued:", 86_400
QUEUE_NAME = "predecessor"


def process_recording(recording_sid: str, source_url: str) -> None:
    """What its workers would run. Nobody runs it: the benchmark is of the enqueue."""
    raise NotImplementedError(f"{recording_sid} {source_url}")


def enqueue(client: Redis, queue: Queue, recording_sid: str) -> None:
    """Enqueues one recording, unless its key is there."""
    key = KEY_PREFIX + recording_sid
    if client.get(key) is None:
        source_url = f"https://api.twilio.com/2010-04-01/Recordings/{recording_sid}.mp3"
        queue.enqueue(process_recording, recording_sid, source_url, retry=Retry(max=3))
        client.set(key, "queued", ex=KEY_SECONDS)


def enqueue_all(redis_url: str, recording_sids: Sequence[str], threads: int) -> float:
    """Enqueues recordings, by so many threads, and removes the jobs again; how many a second were enqueued."""
    with Redis.from_url(redis_url) as client, ThreadPoolExecutor(threads) as pool:
        queue = Queue(QUEUE_NAME, connection=client)
        began = time.perf_counter()
        for _ in pool.map(lambda sid: enqueue(client, queue, sid), recording_sids):
            pass
        seconds = time.perf_counter() - began
        enqueued = queue.count
        queue.delete(delete_jobs=True)
    if enqueued != len(recording_sids):
        raise RuntimeError(f"only {enqueued} of {len(recording_sids)} recordings were enqueued")
    return enqueued / seconds
