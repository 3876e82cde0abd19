"""Pictures in, batches out: manifest, splits, cache, augmentation, samplers, loaders."""
