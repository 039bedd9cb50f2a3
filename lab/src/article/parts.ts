import type { Component } from 'svelte';
import AnswersFigure from './figures/AnswersFigure.svelte';
import BaselineFigure from './figures/BaselineFigure.svelte';
import CoinFigure from './figures/CoinFigure.svelte';
import CrowdFigure from './figures/CrowdFigure.svelte';
import GatesFigure from './figures/GatesFigure.svelte';
import PaysFigure from './figures/PaysFigure.svelte';
import SlowFigure from './figures/SlowFigure.svelte';
import SparsityFigure from './figures/SparsityFigure.svelte';
import TableFigure from './figures/TableFigure.svelte';

/** A part of the article, and its figure. */
export interface PartFacts {
  /** Of the address, of its heading, and of its figure in pages of the documentation. */
  readonly name: string;
  readonly title: string;
  readonly Figure: Component;
  /** The height that is kept for the figure until it comes, in pixels. */
  readonly room: number;
}

/** In the order of the article. */
export const parts: readonly PartFacts[] = [
  { name: 'coin', title: 'A coin has no slope', Figure: CoinFigure, room: 480 },
  { name: 'answers', title: 'Four answers of 2013', Figure: AnswersFigure, room: 460 },
  { name: 'baseline', title: 'Why a baseline', Figure: BaselineFigure, room: 540 },
  { name: 'crowd', title: 'One unit, N units', Figure: CrowdFigure, room: 760 },
  { name: 'gates', title: 'Gates', Figure: GatesFigure, room: 560 },
  { name: 'sparsity', title: 'Sparsity', Figure: SparsityFigure, room: 400 },
  { name: 'table', title: 'The table of 2013', Figure: TableFigure, room: 620 },
  { name: 'slow', title: 'Why it trains slowly', Figure: SlowFigure, room: 620 },
  { name: 'pays', title: 'Does it pay, on this machine?', Figure: PaysFigure, room: 420 },
];

/** @throws RangeError where there is none */
export function partNamed(name: string): PartFacts {
  const found = parts.find((part) => part.name === name);
  if (!found)
    throw new RangeError(`There is no figure "${name}". Expected one of ${parts.map((part) => part.name).join(', ')}.`);
  return found;
}
