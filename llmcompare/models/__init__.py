"""Model files on this machine: what a GGUF file says of itself, which are at hand, and other formats made from them."""
