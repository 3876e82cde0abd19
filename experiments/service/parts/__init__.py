"""Parts of the study: each measures what some targets are about, and makes their rows."""
