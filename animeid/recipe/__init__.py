"""`recipe=auto`: what a command leaves open is chosen from what the pictures and the machine are."""
