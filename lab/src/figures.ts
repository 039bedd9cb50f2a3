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

class FigureElement extends HTMLElement {
  #figure: ReturnType<typeof mount> | undefined;

  connectedCallback(): void {
    const target = this.shadowRoot ?? this.attachShadow({ mode: 'open' });
    target.adoptedStyleSheets = [sheet];
    this.#figure = mount(StandingFigure, { target, props: { part: partNamed(this.getAttribute('name') ?? '') } });
  }

  disconnectedCallback(): void {
    if (this.#figure) unmount(this.#figure);
    this.#figure = undefined;
    // The last one of the page gives the network and its threads back.
    if (!document.querySelector('flipgrad-figure')) closeShipped();
  }
}

customElements.define('flipgrad-figure', FigureElement);
