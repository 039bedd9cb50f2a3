import { onDestroy } from 'svelte';
import type { Hold } from '../../src/index.ts';
import type { AddressState } from './address-state.svelte.ts';
import { ask, follow } from './ask.ts';
import type { Following } from './connect.ts';
import { FRONT_FILE } from './front-network.ts';
import type { GATES_PAGE, GatesPage } from './gates-page.ts';
import { decodeHolds, encodeHolds } from './holds.ts';
import { latest } from './latest.svelte.ts';
import { percent } from './percent.ts';
import { servedRunName } from './served-run.ts';
import { addressOfShipped } from './shipped-files.ts';
import type { Board } from './worker/gate-board.ts';
import type { GateEvent, GateSource } from './worker/gates.ts';

/** Milliseconds from one look to the next while a network is trained. */
const LOOK_PAUSE = 250;

interface Held {
  readonly named: string;
  readonly status: string;
  readonly opened: string;
  readonly classes: readonly string[] | undefined;
}
/** The network that the worker holds, made by this page before: what it is called, and what was said of it. */
let held: Held | undefined;

/** The network that the page "Gates" is of: how it is made, and what it says of the page's digit. To be made while a component is. */
export class GateNetwork {
  /** Undefined before there is a network. */
  board = $state.raw<Board>();
  /** Says what stands in the worker: the run, or the training. */
  status = $state('');
  error = $state('');
  /** Of what is being made, done. */
  share = $state(0);
  following = $state.raw<Following<GateEvent>>();
  /** The run that is open; '' for none. */
  opened = $state('');
  /** Names of the classes of the run that is open, where it has some. */
  classes = $state.raw<readonly string[]>();
  /** The holds of the address, without those of gates that the network lacks. As text, so that another board of the same gates is no change. */
  readonly holdText = $derived.by(() => {
    const { board } = this;
    return encodeHolds(
      decodeHolds(this.#settings.hold).filter(
        (one) => !board || board.sites.some(({ site, units }) => site === one.site && one.unit < units),
      ),
    );
  });
  readonly holds = $derived<readonly Hold[]>(decodeHolds(this.holdText));
  /** The digit and what is held; undefined before there is a network. */
  readonly digit = $derived(
    this.board === undefined
      ? undefined
      : { strokes: this.#settings.draw, test: this.#settings.test, hold: [...this.holds] },
  );
  readonly view = latest(
    () => this.digit,
    (look) => ask('lookAtGates', look),
  );
  readonly tossed = latest(
    () => this.digit,
    (look) => ask('tossGates', look),
  );
  readonly #address: AddressState<typeof GATES_PAGE>;
  /** The `named` of the network that is being made, or was last, and whether it has taken the place of the one before. */
  #making = '';
  #placed = false;
  /** The status of the network that is in place, and its `named`. */
  #standing = '';
  #arrived = '';
  #lookedAt = 0;
  #gone = false;

  constructor(address: AddressState<typeof GATES_PAGE>) {
    this.#address = address;
    onDestroy(() => this.#leave());
  }

  get #settings(): GatesPage {
    return this.#address.settings;
  }

  /** Makes the network that the address names; the same one stays. */
  arrive(): void {
    const asked = named(this.#settings);
    if (asked === this.#arrived || this.#address.problems.length > 0) return;
    this.#arrived = asked;
    if (held?.named === asked) this.#takeHeld(held);
    else if (this.#settings.source === 'trained') this.train();
    else if (this.#settings.source === 'served') this.openServed();
    else if (this.#settings.source === 'picked')
      this.error =
        'The address names a run that was picked here before; a page may not open it by itself, so please pick it again.';
    else this.#make(() => follow('openShipped', addressOfShipped(FRONT_FILE)));
  }

  train(): Promise<void> {
    const { neuron, units, blocks, rate, epochs, seed } = this.#settings;
    return this.#make(() => follow('trainGates', { neuron, units, blocks, rate, epochs, seed }), 'trained');
  }

  async openServed(): Promise<void> {
    const name = await servedRunName();
    if (this.#gone) return;
    if (name === undefined)
      this.error =
        'The server of this page serves no run; `flipgrad lab RUN_DIR` does, and so does a folder picked here.';
    else await this.#openRun({ address: new URL('run/', document.baseURI).href, name }, 'served');
  }

  openPicked(files: readonly File[]): Promise<void> {
    const named = files.map((file) => [file.webkitRelativePath || file.name, file] as const);
    return this.#openRun({ files: named }, 'picked');
  }

  #openRun(run: GateSource, source: string): Promise<void> {
    return this.#make(() => follow('openGates', run), source);
  }

  #takeHeld({ status, opened, classes }: Held): void {
    this.following?.cancel();
    this.following = undefined;
    this.error = '';
    Object.assign(this, { status, opened, classes });
    this.#standing = status;
    this.#refresh().catch((reason) => (this.error = reason.message));
  }

  /** Another network stands in the worker, or the same has learnt. */
  async #refresh(): Promise<void> {
    const found = await ask('gateBoard');
    const before = this.digit;
    this.board = found;
    // A question that the new board changes is asked by itself.
    if (before && this.digit === before) await this.#lookAgain();
  }

  async #lookAgain(): Promise<void> {
    await Promise.all([this.view.again(), this.tossed.again()]);
  }

  /** Follows what makes a network, and looks at it on the way. @param source of the address, once the network is in place; default: that of now */
  async #make(begin: () => Following<GateEvent>, source = this.#settings.source): Promise<void> {
    if (this.following) {
      this.following.cancel();
      if (this.#placed) this.#keep(this.#stopped());
    }
    this.error = '';
    this.status = 'Beginning…';
    this.share = 0;
    this.#placed = false;
    this.#making = named({ ...this.#settings, source });
    const own = begin();
    this.following = own;
    let end: 'done' | 'stopped' | 'failed' = 'stopped';
    try {
      for await (const events of own) {
        if (!this.#follows(own)) return;
        if (await this.#heed(events, source)) end = 'done';
      }
      if (end === 'stopped' && this.board && this.#follows(own)) await this.#refresh();
    } catch (reason) {
      if (!this.#follows(own)) return;
      end = 'failed';
      const kept = this.board && !this.#placed ? ' What was there before stays below.' : '';
      this.error = `${(reason as Error).message}${kept}`;
    }
    if (!this.#follows(own)) return;
    this.following = undefined;
    if (end === 'failed' && !this.#placed) this.status = this.#standing;
    else if (end !== 'done') this.status = this.#stopped();
    if (this.#placed) this.#keep(this.status);
  }

  #follows(own: Following<GateEvent>): boolean {
    return this.following === own && !this.#gone;
  }

  /** @returns whether the network is done */
  async #heed(events: readonly GateEvent[], source: string): Promise<boolean> {
    for (const event of events) this.#tell(event);
    const last = events[events.length - 1];
    const done = events.some(({ event }) => event === 'trained' || event === 'opened');
    if (done || events.some(({ event }) => event === 'epoch') || (!this.#placed && last.event === 'batch')) {
      if (!this.#placed) this.#place(source);
      await this.#refresh();
    } else if (last.event === 'batch' && performance.now() - this.#lookedAt > LOOK_PAUSE) {
      await this.#lookAgain();
      this.#lookedAt = performance.now();
    }
    return done;
  }

  #tell(event: GateEvent): void {
    if (event.event === 'data') {
      this.share = 0.3 * event.share;
      this.status = `Writing digits: ${percent(event.share)}`;
    } else if (event.event === 'batch') {
      [this.opened, this.classes] = ['', undefined];
      this.share = 0.3 + (0.7 * (event.epoch - 1 + event.share)) / event.epochs;
      this.status = `Training: epoch ${event.epoch} of ${event.epochs}, ${percent(event.share)}`;
    } else if (event.event === 'epoch') {
      this.status = `After epoch ${event.epoch}: validation error ${percent(event.validError, 1)}, ${percent(event.density, 1)} open`;
    } else if (event.event === 'trained') {
      this.status = `Trained in this tab: test error ${percent(event.sampled, 2)} sampled, ${percent(event.threshold, 2)} by thresholds`;
    } else {
      this.opened = event.name;
      this.classes = event.classes;
      this.status = event.name === '' ? event.note : `The run ${event.name}. ${event.note}`;
    }
  }

  /** What is being made is now the network of the worker and of the address. */
  #place(source: string): void {
    this.#settings.source = source;
    this.#arrived = this.#making;
    this.#placed = true;
    held = undefined;
  }

  /** The worker holds the network while other pages are looked at. */
  #keep(status: string): void {
    this.#standing = status;
    held = { named: this.#making, status, opened: this.opened, classes: this.classes };
  }

  #stopped(): string {
    return `Stopped (${this.status}). ${this.board ? 'The network stays as it is.' : 'There is no network yet.'}`;
  }

  #leave(): void {
    this.#gone = true;
    this.following?.cancel();
    // The worker keeps no half-made network while other pages are looked at: it closes that one and the one before.
    if (!this.following) return;
    held = undefined;
    ask('closeGates').catch(() => {});
  }
}

/** Identifies the network that settings ask for. */
function named({ neuron, units, blocks, rate, epochs, seed, source }: GatesPage): string {
  return JSON.stringify(source === 'trained' ? [source, neuron, units, blocks, rate, epochs, seed] : [source]);
}
