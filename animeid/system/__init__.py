"""Operating system: files, processes, memory, console."""
