"""What the site is written from: cards, commands, rooms and the import rule, read from `conf/` and the code."""
