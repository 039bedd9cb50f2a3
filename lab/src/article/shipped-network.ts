import { ask } from '../ask.ts';
import { FRONT_FILE } from '../front-network.ts';
import type { FrontFacts } from '../worker/front.ts';

let opened: Promise<FrontFacts> | undefined;

/** The network that is shipped with the lab: opened once for all figures of a page. */
export function openShipped(): Promise<FrontFacts> {
  opened ??= ask('openFront', new URL(FRONT_FILE, document.baseURI).href);
  opened.catch(() => (opened = undefined));
  return opened;
}

/** The next figure opens it anew: another page may have put another network in its place. */
export function forgetShipped(): void {
  opened = undefined;
}
