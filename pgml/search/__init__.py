"""Search for hyperparameters: which to try, how each does in folds of the training rows, which is best."""
