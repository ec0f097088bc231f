"""One connection through the proxy of the fault harness, and its rules. All of it runs in the proxy's loop."""

import asyncio
import enum
import socket
import time
from collections import Counter
from dataclasses import dataclass, field
from random import Random

#: Where the proxy leads: `(host, port)`, or the path of a unix socket.
Address = tuple[str, int] | str

#: Most that is taken at once, in bytes. A delay is one for each such piece, so it bounds what flows under a delay.
PIECE_BYTES = 262_144

#: An answer that is to be lost counts as whole when this long, in seconds, nothing more of it has come …
QUIET_SECONDS = 0.05
#: … or when it has been coming for this long.
LONGEST_ANSWER_SECONDS = 2.0


class Direction(enum.Enum):
    """Which way bytes go."""

    TO_UPSTREAM = "to upstream"
    TO_CLIENT = "to client"


class Cut(Exception):
    """Raised inside a connection when a rule says that it ends here."""


@dataclass
class Countdown:
    """Cuts the connection in which the last byte of `byte_count` passes; over all connections, so many times."""

    byte_count: int
    times: int
    left: int = field(init=False)

    def __post_init__(self) -> None:
        self.left = self.byte_count

    def passing(self, size: int) -> int | None:
        """How many bytes of a piece may pass before the cut; None if there is none in it."""
        if self.times == 0 or size < self.left:
            self.left -= size
            return None
        allowed, self.left, self.times = self.left, self.byte_count, self.times - 1
        return allowed


@dataclass
class LostReply:
    """Has the answer to a request that contains `matching` get lost, so many times."""

    matching: bytes
    times: int


@dataclass
class Rules:
    """What is done to connections. Changed in the loop only; `changed` is to be called after each change."""

    random: Random
    black_hole: bool = False
    delay_seconds: float = 0.0
    jitter_seconds: float = 0.0
    countdowns: dict[Direction, Countdown] = field(default_factory=dict)
    lost_reply: LostReply | None = None
    _news: asyncio.Event = field(default_factory=asyncio.Event)

    def changed(self) -> None:
        """Wakes everybody who waits for a delay to pass."""
        self._news.set()
        self._news = asyncio.Event()

    async def delay(self) -> None:
        """Waits as long as a piece is to be held up; a delay that is taken back in the meantime ends at once."""
        if not self.delay_seconds and not self.jitter_seconds:
            return
        due = time.monotonic() + self.delay_seconds + self.random.uniform(0.0, self.jitter_seconds)
        while (self.delay_seconds or self.jitter_seconds) and (left := due - time.monotonic()) > 0:
            try:
                async with asyncio.timeout(left):
                    await self._news.wait()
            except TimeoutError:
                return


@dataclass
class Counts:
    """What the proxy has seen."""

    connections: int = 0
    cuts: int = 0
    replies_cut: int = 0
    swallowed_bytes: int = 0
    bytes_passed: Counter[Direction] = field(default_factory=Counter)


class Connection:
    """A client's connection and the one to the upstream that belongs to it."""

    def __init__(self, client: socket.socket, upstream: Address, rules: Rules, counts: Counts) -> None:
        self._client = client
        self._address = upstream
        self._rules = rules
        self._counts = counts
        self._before = b""
        self._answer_is_lost = False
        #: Whether something that was sent is missing: such a stream can't go on, as TCP never has a hole.
        self.has_hole = False

    def forgive(self) -> None:
        """Lets the answer through that was to be lost."""
        self._answer_is_lost = False

    async def run(self) -> None:
        """Passes bytes both ways until both ends, an error, or a rule is the end of it; closes both sides."""
        family = socket.AF_UNIX if isinstance(self._address, str) else socket.AF_INET
        with self._client, socket.socket(family, socket.SOCK_STREAM) as upstream:
            try:
                await self._run(upstream)
            except* OSError:
                # One side is gone, and so is the connection: the other one is told by its end.
                pass
            except* Cut:
                self._counts.cuts += 1

    async def _run(self, upstream: socket.socket) -> None:
        if self._rules.black_hole:
            await self._swallow()
            return
        upstream.setblocking(False)
        await asyncio.get_running_loop().sock_connect(upstream, self._address)
        if upstream.family == socket.AF_INET:
            upstream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        async with asyncio.TaskGroup() as both_ways:
            both_ways.create_task(self._pass(Direction.TO_UPSTREAM, self._client, upstream))
            both_ways.create_task(self._pass(Direction.TO_CLIENT, upstream, self._client))

    async def _swallow(self) -> None:
        """The life of a connection that was made into a black hole; the end of the hole is its end."""
        self.has_hole = True
        while piece := await asyncio.get_running_loop().sock_recv(self._client, PIECE_BYTES):
            self._counts.swallowed_bytes += len(piece)

    async def _pass(self, direction: Direction, source: socket.socket, target: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        while True:
            piece = await loop.sock_recv(source, PIECE_BYTES)
            await self._rules.delay()
            if self._rules.black_hole:
                self.has_hole = True
                self._counts.swallowed_bytes += len(piece)
            elif direction is Direction.TO_CLIENT and self._answer_is_lost:
                await self._lose_answer(source, piece)
            else:
                await self._send(direction, target, piece)
            if not piece:
                return

    async def _send(self, direction: Direction, target: socket.socket, piece: bytes) -> None:
        """Sends a piece on, or the end of the stream; raises Cut where a rule says so."""
        if not piece:
            target.shutdown(socket.SHUT_WR)
            return
        if direction is Direction.TO_UPSTREAM:
            self._look_for_request(piece)
        countdown = self._rules.countdowns.get(direction)
        allowed = countdown.passing(len(piece)) if countdown else None
        piece = piece if allowed is None else piece[:allowed]
        await asyncio.get_running_loop().sock_sendall(target, piece)
        self._counts.bytes_passed[direction] += len(piece)
        if allowed is not None:
            raise Cut

    def _look_for_request(self, piece: bytes) -> None:
        """Notes, before it is sent on, that this is the request whose answer is to be lost."""
        rule = self._rules.lost_reply
        if rule is None or not rule.times:
            self._before = b""
            return
        stream = self._before + piece
        self._before = stream[-(len(rule.matching) - 1) :] if len(rule.matching) > 1 else b""
        if rule.matching in stream:
            rule.times -= 1
            self._answer_is_lost = True

    async def _lose_answer(self, upstream: socket.socket, piece: bytes) -> None:
        """Drops the answer until it is whole, then cuts. Raises Cut."""
        if piece:
            self.has_hole = True
            self._counts.replies_cut += 1
            try:
                async with asyncio.timeout(LONGEST_ANSWER_SECONDS):
                    while await self._more(upstream):
                        pass
            except TimeoutError:
                raise Cut from None
        raise Cut

    async def _more(self, upstream: socket.socket) -> bool:
        """Drops the next piece; False if there is none in sight."""
        try:
            async with asyncio.timeout(QUIET_SECONDS):
                return bool(await asyncio.get_running_loop().sock_recv(upstream, PIECE_BYTES))
        except TimeoutError:
            return False
