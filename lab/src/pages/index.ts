import type { Component } from 'svelte';
import Article from './Article.svelte';
import Gates from './Gates.svelte';
import Machine from './Machine.svelte';
import Microscope from './Microscope.svelte';
import Noise from './Noise.svelte';
import Race from './Race.svelte';
import Runs from './Runs.svelte';
import See from './See.svelte';
import WhyFaster from './WhyFaster.svelte';

/** The lab's pages, in the order of the navigation; the first is where one arrives. */
export const pages: readonly { readonly name: string; readonly title: string; readonly Component: Component }[] = [
  { name: 'see', title: 'See it', Component: See },
  { name: 'article', title: 'The article', Component: Article },
  { name: 'microscope', title: 'Microscope', Component: Microscope },
  { name: 'race', title: 'Race', Component: Race },
  { name: 'gates', title: 'Gates', Component: Gates },
  { name: 'faster', title: 'Why (not) faster', Component: WhyFaster },
  { name: 'noise', title: 'Noise', Component: Noise },
  { name: 'runs', title: 'Runs', Component: Runs },
  { name: 'machine', title: 'This browser', Component: Machine },
];
