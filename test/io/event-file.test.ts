/** Event files as an independent reader sees them: pbf takes the messages apart, and the CRC is divided bit by bit. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { encodeEvent, eventFileHeader, intactEvents, type LoggedEvent } from '../../src/io/event-file.ts';
import { readEventFile } from '../helpers/event-reader.ts';

const histogram = { least: 0, most: 0.75, count: 4, sum: 1, sumOfSquares: 0.625, limits: [0.5, 1], counts: [3, 1] };
const event: LoggedEvent = {
  time: 1_700_000_000.25,
  step: 300,
  scalars: { 'loss/train': 0.5, größe: -1e-3 },
  histograms: { rates: histogram },
};
const fileOf = (...events: LoggedEvent[]): Buffer => Buffer.concat([eventFileHeader(5), ...events.map(encodeEvent)]);

describe('TensorBoard event files', () => {
  test('an independent reader finds what was logged', () => {
    assert.deepEqual(readEventFile(fileOf(event, { ...event, step: 2 ** 40, scalars: {} })), [
      { wallTime: 5, fileVersion: 'brain.Event:2', step: 0, values: [] },
      {
        wallTime: 1_700_000_000.25,
        fileVersion: undefined,
        step: 300,
        values: [
          { tag: 'loss/train', simpleValue: 0.5 },
          { tag: 'größe', simpleValue: Math.fround(-1e-3) },
          {
            tag: 'rates',
            histogram: { min: 0, max: 0.75, num: 4, sum: 1, sumSquares: 0.625, limits: [0.5, 1], buckets: [3, 1] },
          },
        ],
      },
      {
        wallTime: 1_700_000_000.25,
        fileVersion: undefined,
        step: 2 ** 40,
        values: [
          {
            tag: 'rates',
            histogram: { min: 0, max: 0.75, num: 4, sum: 1, sumSquares: 0.625, limits: [0.5, 1], buckets: [3, 1] },
          },
        ],
      },
    ]);
  });

  test('the reader of the test sees damage, so that passing it means something', () => {
    const file = fileOf(event);
    for (const at of [0, 9, 13, file.length - 1]) {
      const damaged = Buffer.from(file);
      damaged[at] ^= 1;
      assert.throws(() => readEventFile(damaged));
    }
  });

  test('whole records are counted up to the first that is cut short or damaged', () => {
    const file = fileOf(event, event);
    const one = eventFileHeader(5).length;
    const two = fileOf(event).length;
    assert.deepEqual(intactEvents(file), { records: 3, length: file.length });
    fc.assert(
      fc.property(fc.nat(file.length - 1), fc.integer({ min: 1, max: 255 }), (at, flip) => {
        const expected =
          at < one ? { records: 0, length: 0 } : at < two ? { records: 1, length: one } : { records: 2, length: two };
        assert.deepEqual(intactEvents(file.subarray(0, at)), expected, 'cut');
        const damaged = Buffer.from(file);
        damaged[at] ^= flip;
        assert.deepEqual(intactEvents(damaged), expected, 'damaged');
      }),
    );
  });
});
