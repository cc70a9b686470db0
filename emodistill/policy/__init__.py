"""What a trained policy is made of: emotion selectors, the selector's networks, adapters on a base model."""
