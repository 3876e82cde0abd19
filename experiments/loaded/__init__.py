"""Studies of training from published weights."""
