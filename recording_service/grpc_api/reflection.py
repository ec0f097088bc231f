"""Server reflection (grpcurl), for development: it tells the contract to whoever asks."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2, reflection_pb2_grpc

from recording_service.core.errors import CapacityExhausted
from recording_service.grpc_api.calls import Call
from recording_service.grpc_api.edge import refuse
from recording_service.grpc_api.slots import Slots

#: Most reflection calls at once: each holds a thread for as long as its client likes.
REFLECTION_CALLS = 4


class CappedReflectionServicer(reflection.ReflectionServicer):
    """`grpc_reflection`'s servicer, with a cap on its calls."""

    def __init__(self, service_names: Sequence[str]) -> None:
        super().__init__(service_names)
        self._slots = Slots("reflection calls", REFLECTION_CALLS)

    def ServerReflectionInfo(  # noqa: N802
        self, request_iterator: Iterable[reflection_pb2.ServerReflectionRequest], context: Any
    ) -> Iterator[reflection_pb2.ServerReflectionResponse]:
        """Answers questions about the contract."""
        try:
            with self._slots.taken():
                yield from super().ServerReflectionInfo(request_iterator, context)
        except CapacityExhausted as error:
            refuse(Call(context, "ServerReflectionInfo"), error)


def register(service_names: Sequence[str], server: grpc.Server) -> None:
    """Adds reflection over these services, and itself, to a server that has not been started."""
    names = (*service_names, reflection.SERVICE_NAME)
    reflection_pb2_grpc.add_ServerReflectionServicer_to_server(CappedReflectionServicer(names), server)  # type: ignore[no-untyped-call]
