"""Configs in shards: written into folders, sent to the Hub, compared and streamed, one shard at a time."""
