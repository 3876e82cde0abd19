"""Training with Lightning: module, trainer, callbacks, devices."""
