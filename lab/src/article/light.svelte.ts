import { getContext, setContext } from 'svelte';

/** The symbol that a reader points at, in an equation or its key; '' for none. Marks of the figure beside it that it names are lit. */
export interface Light {
  now: string;
}

const KEY = Symbol('light');

/** For an equation and the figure beside it. To be called while a component is made. */
export function makeLight(): Light {
  const light = $state({ now: '' });
  setContext(KEY, light);
  return light;
}

/** That of the section around; a figure that stands elsewhere has one that is never lit. */
export const lightHere = (): Light => getContext<Light | undefined>(KEY) ?? { now: '' };
