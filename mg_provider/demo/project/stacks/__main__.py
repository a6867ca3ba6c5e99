"""One environment: the models, endpoints and batch jobs that its configuration names, in every region it names."""

from mg_provider.environment import run

run()
