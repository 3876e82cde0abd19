"""Shards: pictures in tar files, for disks that dislike many small ones."""
