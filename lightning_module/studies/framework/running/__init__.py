"""How cells are computed: by several processes, interrupted and resumed, each once."""
