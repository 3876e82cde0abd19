"""Pages that need no other file: template, style, script, glyphs and thumbnails."""
