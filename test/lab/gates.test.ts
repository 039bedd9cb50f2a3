/** The page "Gates": the worker's own functions against the library and the command line, and the page in a browser. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { decodeStrokes, encodeStrokes, MOST_POINTS, paint, SIDE } from '../../lab/src/drawing.ts';
import { FRONT_FILE } from '../../lab/src/front-network.ts';
import { decodeHolds, encodeHolds } from '../../lab/src/holds.ts';
import { type GateView, gatesAnswers } from '../../lab/src/worker/gates.ts';
import type { AnswerOptions } from '../../lab/src/worker/serve.ts';
import { digits, fitPicture, gateInformation, gateRates, Run, runModel } from '../../src/index.ts';
import { createEngine, nodeFolder } from '../../src/platform/node/index.ts';
import { runCliHere } from '../helpers/run-here.ts';
import { allOf } from './all-of.ts';
import { seriousViolations } from './axe.ts';
import { noBrowser, type OpenLab, openLab } from './browser.ts';

const SETTINGS = { neuron: 'straight-through', units: 64, blocks: 8, rate: 0.25, epochs: 1, seed: 2 };
const SHIPPED = `data:application/gzip;base64,${readFileSync(join(import.meta.dirname, '../../lab/public', FRONT_FILE)).toString('base64')}`;
/** Of an answer that nobody cancels. */
const wanted = (): AnswerOptions => ({ signal: new AbortController().signal });
const top = mkdtempSync(join(tmpdir(), 'flipgrad-lab-gates-'));
const folder = join(top, 'small');

// The command that the page shows for these settings.
const { code, stderr } = await runCliHere([
  'train',
  ...Object.entries(SETTINGS).flatMap(([name, value]) => [`--${name}`, String(value)]),
  ...['--simd', 'simd', '--blas', 'off', '--run', folder, '--json'],
]);
assert.equal(code, 0, stderr);
after(() => rmSync(top, { recursive: true, force: true }));

test('drawings and held gates come back from text; what means nothing is left out', () => {
  const strokes = [
    [
      { x: 0, y: 63 },
      { x: 31, y: 7 },
    ],
    [{ x: 5, y: 5 }],
  ];
  assert.deepEqual(decodeStrokes(encodeStrokes(strokes)), strokes);
  assert.deepEqual(decodeStrokes('A!.?.AA'), [[{ x: 0, y: 0 }]]);
  assert.deepEqual(decodeStrokes(''), []);
  assert.ok(decodeStrokes('AA'.repeat(9 * MOST_POINTS))[0].length <= 2 * MOST_POINTS);
  const holds = [
    { site: 'a.gates', unit: 3, open: true },
    { site: 'b', unit: 0, open: false },
  ];
  assert.deepEqual(decodeHolds(encodeHolds(holds)), holds);
  assert.deepEqual(decodeHolds('a:x=open,,b:1=ajar'), []);
  assert.deepEqual(
    decodeHolds('a:1=open,b:2=open,a:01=closed').map(({ site, open }) => [site, open]),
    [
      ['a', false],
      ['b', true],
    ],
  );
});

test('a painted stroke is ink along its path and none elsewhere, and fits the network', () => {
  const picture = paint([
    [
      { x: 20, y: 10 },
      { x: 20, y: 50 },
    ],
  ]);
  const at = (x: number, y: number) => picture.values[y * SIDE + x];
  assert.deepEqual([at(20, 10), at(20, 30), at(20, 50), at(30, 30), at(20, 60)], [1, 1, 1, 0, 0]);
  const { pixels } = fitPicture(picture, { width: 28, height: 28 });
  assert.ok(pixels[14 * 28 + 14] > 200 && pixels[14 * 28 + 4] === 0);
});

describe('what the worker answers', () => {
  const files = () =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((place) => statSync(join(folder, place)).isFile())
      .map((place) => [`small/${place}`, new Blob([readFileSync(join(folder, place))])] as const);
  const hold = [
    { site: 'gated.gates', unit: 1, open: true },
    { site: 'gated.gates', unit: 2, open: false },
  ];
  const strokes = encodeStrokes([Array.from({ length: 20 }, (_, i) => ({ x: 36 - (i >> 2), y: 12 + 2 * i }))]);
  const own: GateView[] = [];

  test('a picked run: probabilities and shares are those of `flipgrad predict`, held and free', async () => {
    const events = await allOf(gatesAnswers.openGates({ files: files() }, wanted()));
    assert.deepEqual(events.at(-1), { event: 'opened', name: 'small', note: 'Weights: weights.safetensors.' });
    for (const look of [
      { strokes: '', test: 7, hold },
      { strokes, test: 0, hold },
    ])
      own.push(await gatesAnswers.lookAtGates(look));
    // One picture a file: rows of one file are drawn for one by one, with other numbers each.
    const ask = async ({ pixels }: (typeof own)[number], ...more: string[]) => {
      const file = join(top, 'digit.csv');
      writeFileSync(file, `${[...pixels].join(',')}\n`);
      const { stdout, stderr, code } = await runCliHere([
        'predict',
        folder,
        file,
        '--mode',
        'ensemble',
        '--samples',
        '50',
        '--blas',
        'off',
        ...more,
      ]);
      assert.equal(code, 0, stderr);
      return stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
    };
    for (const seen of own) {
      const [held] = await ask(seen, '--hold', encodeHolds(hold));
      const [free] = await ask(seen);
      // The lab keeps averages in Float32, the command line in Float64.
      seen.probabilities.forEach((p, c) => {
        assert.ok(Math.abs(p - held.probabilities[c]) < 1e-6 && Math.abs(seen.free[c] - free.probabilities[c]) < 1e-6);
      });
      assert.deepEqual(seen.shares['gated.gates'], held.gates[0].shares);
      assert.deepEqual(seen.shares['gated.gates'].slice(1, 3), [1, 0]);
      assert.equal(seen.multiplyAdds, held.multiplyAdds / 50);
    }
    assert.equal(own[0].label, digits({ seed: SETTINGS.seed, first: 12_007, count: 1 }).labels[0]);
    assert.equal(own[1].label, undefined);
  });

  test('the board says what the library says of the test digits', async () => {
    const board = await gatesAnswers.gateBoard();
    const engine = await createEngine({ simd: 'simd', threads: 1 });
    const { model } = await runModel(await Run.open(nodeFolder(folder)), engine);
    const data = digits({ seed: SETTINGS.seed, first: 12_000, count: 2000 });
    const [site] = gateRates(model, data, { mode: 'sample' });
    const information = gateInformation(site);
    engine.close();
    assert.equal(board.gates.length, 8);
    for (const { unit, rates, information: bits, pictures, rate } of board.gates) {
      assert.deepEqual(
        rates,
        rates.map((_, label) => site.rates[label * 8 + unit]),
      );
      assert.equal(bits, information[unit]);
      assert.ok(Math.abs(rate - rates.reduce((sum, own) => sum + own, 0) / 10) < 1e-9, 'every class has 200 digits');
      assert.equal(pictures.length, 12);
    }
    assert.equal(board.labels.length, board.pictures.length / 784);
  });

  test('training with the same settings gives the network of the command line', async () => {
    const events = await allOf(gatesAnswers.trainGates(SETTINGS, wanted()));
    assert.deepEqual([...new Set(events.map(({ event }) => event))], ['data', 'batch', 'epoch', 'trained']);
    const again = await gatesAnswers.lookAtGates({ strokes, test: 0, hold });
    assert.deepEqual(again, own[1]);
  });

  test('a network is let go of when nobody looks at it, and one that is refused leaves the one before', async () => {
    await allOf(gatesAnswers.openGates({ files: files() }, wanted()));
    const look = { strokes, test: 0, hold };
    const before = await gatesAnswers.lookAtGates(look);
    await assert.rejects(
      allOf(gatesAnswers.openGates({ files: [['run.json', new Blob(['{'])]] }, wanted())),
      /is not JSON/,
    );
    await assert.rejects(allOf(gatesAnswers.trainGates({ ...SETTINGS, blocks: 7 }, wanted())), /equal blocks/);
    assert.deepEqual(await gatesAnswers.lookAtGates(look), before);
    const { open, probabilities } = await gatesAnswers.tossGates(look);
    assert.equal(open['gated.gates'].length, 8);
    assert.deepEqual(open['gated.gates'].slice(1, 3), [true, false]);
    assert.ok(Math.abs(probabilities.reduce((sum, p) => sum + p, 0) - 1) < 1e-5);
    await gatesAnswers.closeGates();
    await assert.rejects(gatesAnswers.lookAtGates(look), /There is no network yet/);
  });

  test('what is cancelled while it is made does not take the place of the network that is there', async () => {
    await allOf(gatesAnswers.openGates({ files: files() }, wanted()));
    const look = { strokes, test: 0, hold: [] };
    const before = await gatesAnswers.lookAtGates(look);
    for (const make of [
      (options: AnswerOptions) => gatesAnswers.trainGates({ ...SETTINGS, seed: 3 }, options),
      (options: AnswerOptions) => gatesAnswers.openGates({ files: files() }, options),
      (options: AnswerOptions) => gatesAnswers.openShipped(SHIPPED, options),
    ]) {
      const ending = new AbortController();
      const last = allOf(make({ signal: ending.signal }));
      ending.abort();
      for (const event of await last) assert.equal(event.event, 'data');
      assert.deepEqual(await gatesAnswers.lookAtGates(look), before);
    }
    await gatesAnswers.closeGates();
  });

  test('what does not fit is a sentence, at once', async () => {
    const refused = (settings: Partial<typeof SETTINGS>) =>
      allOf(gatesAnswers.trainGates({ ...SETTINGS, ...settings }, wanted()));
    await assert.rejects(refused({ units: 100, blocks: 16 }), /100 units cannot be divided into 16 equal blocks/);
    await assert.rejects(refused({ neuron: 'rloop' }), /There is no neuron "rloop"/);
    await assert.rejects(gatesAnswers.gateBoard(), /There is no network yet/);
    await assert.rejects(
      allOf(gatesAnswers.openGates({ files: [['beach.png', new Blob(['x'])]] }, wanted())),
      /beach\.png holds 0 runs\. Expected the folder of one run/,
    );
  });
});

describe('the page "Gates" in Chromium', { skip: noBrowser }, () => {
  let lab: OpenLab;
  before(async () => {
    lab = await openLab({ run: folder });
  });
  after(() => lab.close());

  test('a run of the server: gates are hovered, held by keyboard, and the address restores it; nothing serious for axe', async () => {
    const { page, said } = await lab.page('#gates?source=served&test=3');
    const gates = page.getByRole('region', { name: 'gates' });
    const opened = async () => {
      await page.getByText(/^Gate health: 8 gates/).click();
      await gates.waitFor();
    };
    await page.locator('section[aria-label="one gate"] canvas').nth(11).waitFor();
    assert.equal(await page.locator('table.board').count(), 0, 'rows are made when they are looked at');
    await opened();
    assert.equal(await gates.locator('tbody tr').count(), 8);
    assert.equal(await page.locator('section[aria-label="one gate"] canvas').count(), 12);
    await gates.locator('tbody tr').nth(5).hover();
    await page.getByRole('heading', { name: 'Digits that open gate 5 most' }).waitFor();
    // On the way from one gate to its pictures there are others: what was chosen stays.
    await page.getByRole('button', { name: 'gate 4', exact: true }).click();
    await gates.locator('tbody tr').nth(6).hover();
    await page.getByRole('heading', { name: 'Digits that open gate 6 most' }).waitFor();
    await page.getByRole('region', { name: 'one gate' }).hover();
    await page.getByRole('heading', { name: 'Digits that open gate 4 most' }).waitFor();
    await page.getByRole('button', { name: 'gate 2', exact: true }).focus();
    await page.getByRole('heading', { name: 'Digits that open gate 2 most' }).waitFor();
    const select = page.getByRole('combobox', { name: 'hold gate 2' });
    await select.focus();
    await page.keyboard.press('ArrowDown');
    const check = async () => {
      await page.getByRole('columnheader', { name: 'without holds' }).waitFor();
      assert.equal(await select.inputValue(), 'open');
      await gates.locator('tbody tr').nth(2).locator('.bar span', { hasText: /^50$/ }).waitFor();
      assert.match((await page.locator('pre').textContent()) as string, /predict small .* --hold gated\.gates:2=open$/);
    };
    await check();
    await page.waitForURL(/hold=gated\.gates%3A2%3Dopen/);
    await page.reload();
    await opened();
    await check();
    assert.match((await page.locator('figcaption').textContent()) as string, /as the network sees it: a \d/);
    assert.deepEqual(await seriousViolations(page), []);
    assert.deepEqual(said, []);
  });

  test('the picture comes first: it shows a network at load, tosses, and a block of it is kept and held by keyboard', async () => {
    const { page, said } = await lab.page('#gates');
    const tiles = page.getByRole('group', { name: /^blocks/ }).getByRole('button');
    await page.locator('.figure button.open').first().waitFor();
    assert.equal(await tiles.count(), 32);
    const [picture, controls] = await Promise.all([
      page.locator('section[aria-label="network"]').boundingBox(),
      page.locator('.controls').boundingBox(),
    ]);
    assert.ok(picture && controls && picture.y + picture.height < controls.y);
    const lit = () => tiles.evaluateAll((all) => all.map((tile) => Number(tile.classList.contains('open'))).join(''));
    const first = await lit();
    await page.waitForFunction(
      (before) =>
        Array.from(document.querySelectorAll('.figure [role="group"] button'), (tile) =>
          Number(tile.classList.contains('open')),
        ).join('') !== before,
      first,
    );
    await page.getByRole('button', { name: 'Pause' }).click();
    await tiles.first().focus();
    await page.keyboard.press('ArrowRight');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Digits that open gate 1 most' }).waitFor();
    const hold = page.getByRole('group', { name: 'hold gate 1 here' }).getByRole('button', { name: 'hold open' });
    await hold.focus();
    await page.keyboard.press('Enter');
    await page.waitForFunction(() => document.querySelectorAll('.figure button.open')[0] !== undefined);
    await page.locator('.figure button.held.open').waitFor();
    await page.waitForURL(/hold=gated\.gates%3A1%3Dopen/);
    assert.deepEqual(said, []);
    await page.context().close();
  });

  test('a folder that is no run leaves the network before in its place; a training that is left gives its threads back', async () => {
    const { page, said } = await lab.page('#gates?source=served&test=3');
    const answer = page.getByRole('region', { name: 'digit' }).getByRole('heading').first();
    await answer.waitFor();
    const before = await answer.textContent();
    const broken = join(top, 'broken');
    mkdirSync(broken);
    writeFileSync(join(broken, 'run.json'), '{');
    await page.getByLabel(/a run’s folder/).setInputFiles(broken);
    await page
      .getByRole('alert')
      .getByText(/What was there before stays below/)
      .waitFor();
    assert.equal(await answer.textContent(), before);
    await page.getByRole('button', { name: 'Toss once' }).click();
    assert.match(page.url(), /source=served/);
    await page.getByRole('button', { name: 'Train in this tab' }).click();
    await page.getByRole('progressbar').waitFor();
    await page.getByRole('link', { name: 'This browser' }).click();
    await page.getByRole('heading', { name: /^This browser/ }).waitFor();
    // Nothing is held: the same address begins anew.
    await page.goBack();
    await page.getByRole('progressbar').waitFor();
    assert.deepEqual(said, []);
    await page.context().close();
  });

  test('the shipped network, left while another is made, comes back by the link of the navigation', async () => {
    const { page, said } = await lab.page('#gates');
    const view = page.getByRole('region', { name: 'one gate' });
    await view.waitFor();
    await page.getByRole('progressbar').waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Train in this tab' }).click();
    await page.getByRole('progressbar').waitFor();
    await page.getByRole('link', { name: 'This browser' }).click();
    await page.getByRole('heading', { name: /^This browser/ }).waitFor();
    await page.getByRole('link', { name: 'Gates', exact: true }).click();
    await view.waitFor();
    assert.equal(await page.getByRole('alert').count(), 0);
    assert.deepEqual(said, []);
    await page.context().close();
  });

  test('a gate that another network lacks is held no more; a network that is opened anew is looked at once', async () => {
    const { page, said } = await lab.page('#machine');
    await page.emulateMedia({ reducedMotion: 'reduce' });
    await page.addInitScript(() => {
      const asked: string[] = [];
      Object.assign(globalThis, { asked });
      const { postMessage } = Worker.prototype;
      Worker.prototype.postMessage = function (message: { name?: string }) {
        if (message.name) asked.push(message.name);
        postMessage.call(this, message);
      };
    });
    const looks = () =>
      page.evaluate(
        () => (globalThis as unknown as { asked: string[] }).asked.filter((name) => name === 'lookAtGates').length,
      );
    await page.goto(`${lab.url}?again#gates?hold=${encodeURIComponent('gated.gates:20=open,gated.gates:1=open')}`);
    const command = page.locator('pre');
    await command.getByText(/--hold gated\.gates:20=open,gated\.gates:1=open$/).waitFor();
    await page.getByRole('columnheader', { name: 'without holds' }).waitFor();
    const open = page.getByRole('button', { name: 'Open the run small' });
    const opened = async () => {
      await page
        .getByRole('status')
        .getByText(/^The run small/)
        .waitFor();
      await page.getByRole('progressbar').waitFor({ state: 'detached' });
    };
    const tiles = page.getByRole('group', { name: /^blocks/ });
    await tiles.getByRole('button').first().focus();
    await page.keyboard.press('End');
    assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('tabindex')), '0');
    // Time enough for what would be asked once more.
    const settled = () => page.waitForTimeout(500);
    await settled();
    const first = await looks();
    await open.click();
    await opened();
    await command.getByText(/predict small .* --hold gated\.gates:1=open$/).waitFor();
    await page.getByRole('button', { name: 'Toss once' }).click();
    await page.getByText(/^Gate health: 8 gates/).waitFor();
    assert.equal(await page.getByRole('alert').count(), 0);
    await settled();
    const second = await looks();
    assert.equal(second - first, 1, 'other holds');
    // The keyboard stood on a block that is no more, and reaches the last one.
    assert.equal(await tiles.locator('button').last().getAttribute('tabindex'), '0');
    await open.click();
    await page.getByRole('progressbar').waitFor();
    await opened();
    await settled();
    assert.equal((await looks()) - second, 1, 'the same holds');
    assert.deepEqual(said, []);
    await page.context().close();
  });

  test('a training that is stopped or refused before it begins leaves the command and what is said of the network', async () => {
    const { page, said } = await lab.page('#gates?source=served&units=64&blocks=8&epochs=50');
    const status = page.getByRole('status');
    const train = page.getByRole('button', { name: 'Train in this tab' });
    await status.getByText(/^The run small/).waitFor();
    await page.getByRole('progressbar').waitFor({ state: 'detached' });
    const command = await page.locator('pre').textContent();
    assert.match(command as string, /predict small /);
    await train.click();
    await page.getByRole('button', { name: 'Stop' }).click();
    await status.getByText(/^Stopped \(.*\)\. The network stays as it is\.$/).waitFor();
    assert.equal(await page.locator('pre').textContent(), command);
    await train.click();
    await status.getByText(/^Training: epoch/).waitFor();
    await page.evaluate(() => {
      location.hash = '#gates?source=trained&units=100&blocks=16';
    });
    await page
      .getByRole('alert')
      .getByText(/100 units cannot be divided into 16 equal blocks/)
      .waitFor();
    await status.getByText(/^Stopped \(Training: .*\)\. The network stays as it is\.$/).waitFor();
    assert.deepEqual(said, []);
    await page.context().close();
  });

  test('a digit is drawn, and the address restores it, on a narrow dark screen', async () => {
    const { page, said } = await lab.page('#gates?source=served', { width: 400, colorScheme: 'dark' });
    await page.getByRole('region', { name: 'one gate' }).waitFor();
    await page.locator('canvas.pad').scrollIntoViewIfNeeded();
    const box = await page.locator('canvas.pad').boundingBox();
    assert.ok(box);
    await page.mouse.move(box.x + 90, box.y + 30);
    await page.mouse.down();
    await page.mouse.move(box.x + 80, box.y + 130, { steps: 8 });
    await page.mouse.up();
    await page.getByLabel('Drawing pad with your digit').waitFor();
    await page.waitForURL(/draw=\w+/);
    // A test digit has a class; a drawn one has none.
    await page.getByText(/^as the network sees it$/).waitFor();
    // The answer of the whole stroke comes after those of its parts: the drawing page has to come to that of its address.
    const restored = await lab.page(new URL(page.url()).hash, { width: 400, colorScheme: 'dark' });
    await restored.page.getByText(/^as the network sees it$/).waitFor();
    const answerOf = (of: typeof page) => of.getByRole('region', { name: 'digit' }).getByRole('heading');
    const answer = await answerOf(restored.page).first().textContent();
    assert.match(String(answer), /^It says \d$/);
    await answerOf(page)
      .filter({ hasText: answer as string })
      .waitFor();
    assert.deepEqual(restored.said, []);
    assert.equal(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), true);
    assert.deepEqual(await seriousViolations(page), []);
    assert.deepEqual(said, []);
  });

  test('a training says where it is, can be stopped, and one that does not fit is a sentence', async () => {
    const { page, said } = await lab.page('#gates?source=trained&units=100&blocks=16');
    assert.match(
      (await page.getByRole('alert').textContent()) as string,
      /100 units cannot be divided into 16 equal blocks/,
    );
    await page.getByRole('combobox', { name: 'units' }).selectOption('64');
    await page.getByRole('button', { name: 'Train in this tab' }).click();
    await page
      .getByRole('status')
      .getByText(/Writing digits: \d/)
      .waitFor();
    await page.getByRole('button', { name: 'Stop' }).click();
    await page
      .getByRole('status')
      .getByText(/^Stopped \(Writing digits: .*\)\. There is no network yet\.$/)
      .waitFor();
    assert.deepEqual(said, []);
  });
});
