"""What tests of adapters share."""

from tests.support.bell_workers import belfry as belfry
from tests.support.redis_server import flushed as flushed
from tests.support.redis_server import own_redis_server as own_redis_server
from tests.support.redis_server import redis_server as redis_server
