"""What `animeid doctor` looks at: machine, packages, pictures, network, recipe."""
