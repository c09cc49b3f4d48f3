"""All mutations, in the order in which they are told."""

from tests.mutations import boundary, films, operation, queue
from tests.mutations.mutation import Mutation

MUTATIONS: tuple[Mutation, ...] = (
    *films.MUTATIONS,
    *queue.MUTATIONS,
    *boundary.MUTATIONS,
    *operation.MUTATIONS,
)
