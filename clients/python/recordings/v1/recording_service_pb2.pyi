from recordings.v1 import deletion_pb2 as _deletion_pb2
from recordings.v1 import enqueue_pb2 as _enqueue_pb2
from recordings.v1 import lookup_pb2 as _lookup_pb2
from recordings.v1 import playback_url_pb2 as _playback_url_pb2
from recordings.v1 import results_pb2 as _results_pb2
from recordings.v1 import stream_pb2 as _stream_pb2
from recordings.v1 import watch_pb2 as _watch_pb2
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor
