"""What a stranger may do: the promises, and the edits that break them."""

from tests.mutations.mutation import Mutation

MUTATIONS: tuple[Mutation, ...] = ()
