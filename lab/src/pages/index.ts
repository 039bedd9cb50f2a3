import type { Component } from 'svelte';
import { PAGE_TITLES, type PageName } from '../page-titles.ts';
import Article from './Article.svelte';
import Gates from './Gates.svelte';
import Machine from './Machine.svelte';
import Microscope from './Microscope.svelte';
import Noise from './Noise.svelte';
import Race from './Race.svelte';
import Runs from './Runs.svelte';
import See from './See.svelte';
import Text from './Text.svelte';
import WhyFaster from './WhyFaster.svelte';

const COMPONENTS: Readonly<Record<PageName, Component>> = {
  see: See,
  article: Article,
  text: Text,
  microscope: Microscope,
  race: Race,
  gates: Gates,
  faster: WhyFaster,
  noise: Noise,
  runs: Runs,
  machine: Machine,
};

/** The lab's pages, in the order of the navigation; the first is where one arrives. */
export const pages: readonly { readonly name: PageName; readonly title: string; readonly Component: Component }[] = (
  Object.keys(PAGE_TITLES) as PageName[]
).map((name) => ({
  name,
  title: PAGE_TITLES[name][0],
  Component: COMPONENTS[name],
}));
