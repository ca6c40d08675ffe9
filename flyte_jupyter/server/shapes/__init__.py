"""What the server says and is told: the types of its API, from which `generated.ts` and the OpenAPI document are made.

Times are seconds since the epoch, sizes bytes. A docstring becomes the comment of the type.
"""
