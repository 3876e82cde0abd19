"""From a plan to objects: data, network, training module."""
