"""Other ways to serve the same data, each as well tuned as its own documentation tells."""
