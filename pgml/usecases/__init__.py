"""What users ask for, a module a verb: each puts the floors below together."""
