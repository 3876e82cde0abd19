"""From picture bytes to the network's input, with numpy and Pillow alone."""
