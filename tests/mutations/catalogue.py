"""All mutations, in the order in which they are told."""

from tests.mutations import (
    answers,
    boundary,
    connections,
    films,
    floods,
    limits,
    models,
    operation,
    outside,
    pages,
    queue,
    workers,
)
from tests.mutations.mutation import Mutation

MUTATIONS: tuple[Mutation, ...] = (
    *films.MUTATIONS,
    *queue.MUTATIONS,
    *workers.MUTATIONS,
    *boundary.MUTATIONS,
    *answers.MUTATIONS,
    *limits.MUTATIONS,
    *connections.MUTATIONS,
    *outside.MUTATIONS,
    *models.MUTATIONS,
    *floods.MUTATIONS,
    *operation.MUTATIONS,
    *pages.MUTATIONS,
)
