"""What the redis backends are made of; `torngas_cache.backends.rediscache` is the public face."""
