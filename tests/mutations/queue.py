"""A queue that tells a bad walk from a bad machine: the promises, and the edits that break them."""

from tests.mutations.mutation import Mutation

MUTATIONS: tuple[Mutation, ...] = ()
