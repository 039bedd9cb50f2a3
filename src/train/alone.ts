import type { Model } from '../nn/model.ts';

/** Models whose training is under way. */
const training = new WeakSet<Model>();

/** @throws RangeError when a training of the model is under way */
export function checkAlone(model: Model): void {
  if (training.has(model))
    throw new RangeError(
      'The model is being trained already, and two trainings at once would mix their steps. Expected the end of the first (the end of its iteration, or `return()`), or another model.',
    );
}

/** The events of a training, which from the first one asked for to the last is the only one of its model. @throws as `checkAlone` */
export async function* alone<Event>(model: Model, events: AsyncIterable<Event>): AsyncGenerator<Event, void> {
  checkAlone(model);
  training.add(model);
  try {
    yield* events;
  } finally {
    training.delete(model);
  }
}
