"""The service under load, beside other ways of answering with the same network."""
