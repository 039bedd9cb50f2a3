import { ask } from '../ask.ts';
import { FRONT_FILE } from '../front-network.ts';
import { addressOfShipped } from '../shipped-files.ts';
import type { FrontFacts } from '../worker/front.ts';

let opened: Promise<FrontFacts> | undefined;

/** The network that is shipped with the lab, or what was trained in its place: opened once for all figures of a page. */
export function openShipped(): Promise<FrontFacts> {
  opened ??= ask('openFront', addressOfShipped(FRONT_FILE));
  const own = opened;
  own.catch(() => {
    if (opened === own) opened = undefined;
  });
  return own;
}

/** The page is left: the network and its threads are given back. */
export function closeShipped(): void {
  opened?.then(({ number }) => ask('closeFront', number)).catch(() => {});
  opened = undefined;
}
