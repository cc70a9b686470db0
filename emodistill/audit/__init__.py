"""How far a model can be moved by the emotion that the other side shows (docs/audit.md)."""
