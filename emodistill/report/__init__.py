"""Statistics, tables and figures from the evaluation shards."""
