"""Training on DeepSpeed: the selector (IQL) and the policy (LoRA-SFT, then JPO)."""
