"""What the tiered backend is made of; `torngas_cache.backends.tiered` is the public face."""
