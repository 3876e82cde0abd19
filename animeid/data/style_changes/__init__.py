"""Changes of a picture's style: what another hand would have drawn, one a file."""
