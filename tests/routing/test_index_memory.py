"""What a number costs in memory."""

import pytest
import redis

from routing.encoding import encoded
from routing.index.layout import BUCKETS, Layout
from routing.index.rebuild import Rebuilder
from routing.route import NumberFacts
from tests.routing.facts import Truth, a_campaign, a_number, a_truth, phone
from tests.routing.stored_index import StoredIndex


@pytest.mark.parametrize("count", [100_000])
def test_a_number_takes_less_than_80_bytes_beyond_its_campaign(redis_client: redis.Redis, count: int) -> None:
    campaigns = [a_campaign(i + 1) for i in range(1000)]
    rebuilder = Rebuilder(redis_client, Layout(1))

    def numbers() -> list[NumberFacts]:
        spread = (i * 7919 % 10_000_000 for i in range(count))
        return [a_number(phone(s), i % 1000 + 1, number_id=i + 1) for i, s in enumerate(spread)]

    rebuilder.rebuild(lambda: campaigns, list, list)
    before = redis_client.info("memory")["used_memory"]
    rebuilder.rebuild(lambda: campaigns, lambda: encoded(numbers()), list)
    assert (redis_client.info("memory")["used_memory"] - before) / count < 80


def test_a_bucket_keeps_the_compact_encoding_up_to_six_million_numbers(redis_client: redis.Redis) -> None:
    stored = StoredIndex(redis_client, Layout(1))
    stored.rebuild(a_truth(5))
    crowded = stored.bucket_key(phone(1))
    per_bucket = 6_000_000 // BUCKETS
    longest = a_number(phone(1), 9_999_999, number_id=9_999_999, revision=9_999_999)
    for i in range(per_bucket):
        redis_client.hset(
            crowded, f"1415{i:07d}", f"{longest.revision} {longest.campaign_id} {longest.number_id}"
        )
    assert redis_client.object("encoding", crowded) in {b"listpack", b"ziplist"}


def test_every_bucket_of_a_built_index_is_compact(redis_client: redis.Redis) -> None:
    stored = StoredIndex(redis_client, Layout(1))
    stored.rebuild(a_truth(2000))
    stored.put(*(a_number(phone(i), 1, revision=2) for i in range(500)))
    encodings = {redis_client.object("encoding", key) for key in redis_client.scan_iter("*:n:*", count=1000)}
    assert encodings <= {b"listpack", b"ziplist"}


def test_a_campaign_lies_once_in_each_partition_however_many_numbers_it_has(
    redis_client: redis.Redis,
) -> None:
    truth = Truth().add(a_campaign(7), *(a_number(phone(i)) for i in range(500)))
    for partitions in (1, 4):
        redis_client.flushall()
        StoredIndex(redis_client, Layout(partitions)).rebuild(truth)
        assert len(list(redis_client.scan_iter("*:c:*", count=1000))) == partitions
