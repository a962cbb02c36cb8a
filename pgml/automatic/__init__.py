"""Training that finds its algorithm: a portfolio from cheap to dear, a search among the promising, a blend.

All of it runs in the child process, which plans and compares; what fits are processes that it forks.
"""
