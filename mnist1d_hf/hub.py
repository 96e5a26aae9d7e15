"""Data sets on the Hub."""

from mnist1d_hf.cache import CachedBuild, cached_builds, install
from mnist1d_hf.export import export
from mnist1d_hf.parquet import write_parquet

__all__ = ["CachedBuild", "cached_builds", "export", "install", "write_parquet"]
