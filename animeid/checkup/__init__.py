"""What a machine and a folder of pictures are good for: facts first, then the text that tells them."""
