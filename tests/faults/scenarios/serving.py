"""Servers that die under their callers, and callers that dawdle."""

import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import grpc

from recordings.v1 import stream_pb2
from tests.faults.scenario import scenario
from tests.faults.world import ACCOUNT_SID, World
from tests.support.waiting import eventually


@scenario(14)
def server_killed_in_mid_stream(world: World) -> None:
    """The gRPC server is killed while a recording is streamed: the caller goes on at the next byte, same etag."""
    [recording_sid] = world.add(1, shortest=300.0, longest=400.0)
    world.ready([recording_sid])
    source = world.twilio.media(recording_sid)
    received, etags = bytearray(), set()
    breaks = world.chance.randint(1, 3)
    deadline = world.history.seconds() + world.recovery_seconds * (breaks + 1)
    with world.fault("the server is killed in mid stream"):
        while len(received) < len(source):
            assert world.history.seconds() < deadline, "the stream did not come to an end"
            request = stream_pb2.StreamRecordingRequest(
                account_sid=ACCOUNT_SID, recording_sid=recording_sid, offset=len(received)
            )
            try:
                for chunk in world.callers.stub.StreamRecording(request, timeout=60.0):
                    assert chunk.offset == len(received)
                    received += chunk.data
                    if chunk.HasField("recording"):
                        etags.add(chunk.recording.etag)
                    # What has come already is read on although the server is gone.
                    if breaks and (servers := world.processes.parts("grpc")):
                        breaks -= 1
                        servers[0].kill()
            except grpc.RpcError as error:
                if error.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise
                world.processes.part("grpc")
    assert bytes(received) == source
    assert len(etags) == 1


@scenario(14)
def adapter_killed(world: World) -> None:
    """The HTTP adapter is killed while webhooks come and a recording is played."""
    world.ready(there := world.add(2, shortest=60.0, longest=90.0))
    sids = world.add(10)
    with world.fault("the HTTP adapter is killed"), ThreadPoolExecutor(8) as pool:
        told = [pool.submit(world.callers.webhook, recording_sid) for recording_sid in sids]
        told += [pool.submit(world.callers.play, recording_sid) for recording_sid in there]
        world.processes.part("http").kill()
        for future in told:
            future.result()
    eventually(lambda: world.callers.webhook(sids[0]).status == "200", within=world.recovery_seconds, what="HTTP")
    for recording_sid in sids:
        assert world.callers.webhook(recording_sid).status == "200"


@scenario(34)
def players_that_read_nothing(world: World) -> None:
    """Many players open a recording and read nothing: others are served (tests/e2e/test_slow_clients.py has 500)."""
    [recording_sid] = world.add(1, shortest=120.0, longest=121.0)
    world.ready([recording_sid])
    host, _, port = world.http_url.removeprefix("http://").partition(":")
    with world.fault("players that read nothing"), ExitStack() as stack:
        for _ in range(100):
            player = stack.enter_context(socket.create_connection((host, int(port)), 10.0))
            player.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            player.sendall(f"GET /recordings/{recording_sid}/stream HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        more = world.add(5)
        for sid in more:
            answer = world.callers.webhook(sid)
            assert answer.status == "200", answer
        answer = world.callers.play(recording_sid)
        assert answer.status == "200", answer
        assert answer.complete, answer
