"""What the memcached backends are made of; `torngas_cache.backends.memcached` is the public face."""
