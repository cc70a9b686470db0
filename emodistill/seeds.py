"""Seeds from names: the same parts give the same seed in any process, shard, order or resumption (METHOD.md §3)."""

import hashlib


def seed_of(*parts: object) -> int:
    """Hash the parts (by their text) to a seed in [0, 2^63)."""
    text = "\x1f".join(map(str, parts))
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big") >> 1
