/**
 * `<flipgrad-figure name="coin"></flipgrad-figure>`: figures of the article for pages that are not the lab's, with the library behind
 * them. Each stands in a shadow tree, so that its style and that of the page leave each other alone.
 */
import { mount, unmount } from 'svelte';
import { partNamed } from './article/parts.ts';
import { closeShipped } from './article/shipped-network.ts';
import style from './lab.css?inline';
import StandingFigure from './StandingFigure.svelte';
import { shipFrom } from './shipped-files.ts';

shipFrom(new URL(/* @vite-ignore */ '.', import.meta.url).href);

/** The style of the lab's page is that of the figure; light or dark is as the page has it. */
const sheet = new CSSStyleSheet();
sheet.replaceSync(`${style.replaceAll(':root', ':host')}\n:host { display: block; color-scheme: inherit; }`);

/** Pixels below the window from which on a figure is made. */
const NEAR = '300px';

class FigureElement extends HTMLElement {
  #figure: ReturnType<typeof mount> | undefined;
  #observer: IntersectionObserver | undefined;

  connectedCallback(): void {
    const target = this.shadowRoot ?? this.attachShadow({ mode: 'open' });
    target.adoptedStyleSheets = [sheet];
    const part = partNamed(this.getAttribute('name') ?? '');
    this.style.minHeight = `${part.room}px`;
    this.#observer = new IntersectionObserver(
      (entries) => {
        if (!entries.some(({ isIntersecting }) => isIntersecting)) return;
        this.#observer?.disconnect();
        this.#figure = mount(StandingFigure, { target, props: { part } });
      },
      { rootMargin: NEAR },
    );
    this.#observer.observe(this);
  }

  disconnectedCallback(): void {
    this.#observer?.disconnect();
    if (this.#figure) unmount(this.#figure);
    this.#figure = undefined;
    // The last one of the page gives the network and its threads back.
    if (!document.querySelector('flipgrad-figure')) closeShipped();
  }
}

customElements.define('flipgrad-figure', FigureElement);
