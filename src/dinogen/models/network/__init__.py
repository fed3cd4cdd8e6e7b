"""Recurrent networks: parameters, cells, layers, and the network that stacks them."""
