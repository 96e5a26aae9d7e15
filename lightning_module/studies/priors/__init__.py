"""Between MLP and CNN: where do networks lie that know less about space than the CNN, or something else about it?"""
