"""The adapter in a process of its own: prints its port, then its peak of memory in KiB for each line it is sent."""

import asyncio
import resource
import sys

from recording_service.http_api import HttpServer, HttpSettings


def _peak_kib() -> int:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // 1024 if sys.platform == "darwin" else peak


async def _main(target: str) -> None:
    server = HttpServer(HttpSettings(grpc_target=target, public_url="https://recordings.example.com"), "127.0.0.1", 0)
    await server.start()
    print(server.port, flush=True)  # noqa: T201 - how the test learns it

    def answer() -> None:
        if sys.stdin.readline():
            print(_peak_kib(), flush=True)  # noqa: T201 - how the test learns it
        else:
            stop.set()

    stop = asyncio.Event()
    asyncio.get_running_loop().add_reader(sys.stdin, answer)
    await stop.wait()
    await server.stop(0)


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1]))
