import { existsSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Browser, chromium, type Page } from 'playwright-core';
import { labServer } from '../../cli/lab-server.ts';
import { slow } from '../helpers/extent.ts';
import { builtLab } from './build.ts';

const CHROMIUM = process.env.FLIPGRAD_CHROMIUM ?? '/usr/bin/chromium';

/** Why nothing is tested in a browser; false where it is. */
export const noBrowser: string | false =
  slow ||
  (!existsSync(CHROMIUM) &&
    `there is no Chromium at ${CHROMIUM}. Expected \`apt-get install chromium\` or $FLIPGRAD_CHROMIUM`);

/** The lab, built from its source as it is now, in a browser. */
export interface OpenLab {
  readonly url: string;
  readonly browser: Browser;
  /** A new page at an address, and what its console and errors say. @param options.at another server's address */
  page(
    hash: string,
    options?: { width?: number; colorScheme?: 'light' | 'dark'; at?: string },
  ): Promise<{ page: Page; said: string[] }>;
  close(): Promise<void>;
}

export const openBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });

/** @param options.run folder of a run that the server has */
export async function openLab({ run }: { run?: string } = {}): Promise<OpenLab> {
  const server: Server = labServer({ lab: builtLab(), run });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://localhost:${(server.address() as AddressInfo).port}/`;
  const browser = await openBrowser();
  return {
    url,
    browser,
    async page(hash, { width = 1280, colorScheme = 'light', at = url } = {}) {
      const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme });
      const page = await context.newPage();
      page.setDefaultTimeout(60_000);
      const said: string[] = [];
      page.on('console', (message) => {
        if (message.type() === 'error' || message.type() === 'warning') said.push(message.text());
      });
      page.on('pageerror', (error) => said.push(String(error)));
      await page.goto(`${at}${hash}`);
      return { page, said };
    },
    async close() {
      await browser.close();
      server.closeAllConnections();
      server.close();
    },
  };
}
