"""All mutations, in the order in which they are told."""

from tests.mutations import answers, boundary, connections, films, limits, operation, queue
from tests.mutations.mutation import Mutation

MUTATIONS: tuple[Mutation, ...] = (
    *films.MUTATIONS,
    *queue.MUTATIONS,
    *boundary.MUTATIONS,
    *answers.MUTATIONS,
    *limits.MUTATIONS,
    *connections.MUTATIONS,
    *operation.MUTATIONS,
)
