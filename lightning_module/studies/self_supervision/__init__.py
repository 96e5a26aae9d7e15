"""Self-supervised learning: what each layer of a contrastively trained encoder knows, and what its last ones forget."""
