"""The backends that each contract suite runs over."""

from tests.contract.catalogues import catalogue as catalogue
from tests.contract.catalogues import catalogue_url as catalogue_url
from tests.contract.catalogues import databases as databases
from tests.contract.queues import breakable_feed as breakable_feed
from tests.contract.queues import breakable_queue as breakable_queue
from tests.contract.queues import breakable_redis_client as breakable_redis_client
from tests.contract.queues import breakable_redis_server as breakable_redis_server
from tests.contract.sources import source as source
from tests.contract.storages import storage as storage
