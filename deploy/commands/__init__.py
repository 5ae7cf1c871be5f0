"""The commands, a module a topic: ``register(app)`` adds its own."""
