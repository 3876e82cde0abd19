"""What helps on styles that training does not see, from loaded weights."""
