"""Run by people: the promises, and the edits that break them."""

from tests.mutations.mutation import Mutation

MUTATIONS: tuple[Mutation, ...] = ()
