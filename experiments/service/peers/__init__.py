"""Other ways of answering over HTTP with the same file of a network, and the same form for a picture."""
