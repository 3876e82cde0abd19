"""Cards, requests and their checks: the one door from the command line to objects."""
