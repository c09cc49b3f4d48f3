"""All mutations, in the order in which they are told."""

from tests.mutations import (
    answers,
    boundary,
    connections,
    deletions,
    films,
    floods,
    histories,
    limits,
    live,
    models,
    numbers,
    operation,
    outside,
    pages,
    queue,
    records,
    repairs,
    workers,
)
from tests.mutations.mutation import Mutation

MUTATIONS: tuple[Mutation, ...] = (
    *repairs.MUTATIONS,
    *deletions.MUTATIONS,
    *films.MUTATIONS,
    *histories.MUTATIONS,
    *numbers.MUTATIONS,
    *records.MUTATIONS,
    *queue.MUTATIONS,
    *workers.MUTATIONS,
    *boundary.MUTATIONS,
    *answers.MUTATIONS,
    *limits.MUTATIONS,
    *live.MUTATIONS,
    *connections.MUTATIONS,
    *outside.MUTATIONS,
    *models.MUTATIONS,
    *floods.MUTATIONS,
    *operation.MUTATIONS,
    *pages.MUTATIONS,
)
