"""A run as a folder for others: adapters and selector with a model card, episodes as Parquet with a dataset card."""
