"""How the shipped model was made: the painter, its captions, training and evaluation."""
