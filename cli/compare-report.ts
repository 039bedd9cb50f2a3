import type { ComparedNet, Comparison, RivalEvent } from './compare.ts';
import { millions, percent, table } from './table.ts';

const times = (factor: number): string => factor.toFixed(2);
/** Faster by what is printed. */
const faster = (factor: number): boolean => Number(times(factor)) > 1;

/** A dense network that was trained, in one line. */
export const rivalLine = ({ layers, validError, testError, seconds }: RivalEvent): string =>
  `rival ${layers}: validation error ${percent(validError)}, test error ${percent(testError)}, ${seconds.toFixed(1)} s`;

/** As the table calls a network. */
function label(place: number, { is, units }: ComparedNet, reached: boolean): string {
  const dense = place < 2 ? is : `dense ${units}, ${is === 'the same error' && !reached ? 'the best' : is}`;
  return `(${'abcd'[place]}) ${dense}`;
}

/** What was measured, as a table. */
export function comparisonTable({ rows, batch, engine, reached }: Comparison): string {
  const lines = rows.map((net, place) => [
    label(place, net, reached),
    percent(net.testError),
    percent(net.validError),
    net.microseconds.one.toFixed(1),
    net.microseconds.batch.toFixed(1),
    millions(net.multiplyAdds),
  ]);
  const head = ['', 'test', 'valid', 'µs, 1', `µs, ${batch}`, 'multiply-adds'];
  const caption = `Errors, and microseconds an example, one and ${batch} at a time: medians of rounds in turn, time of the processor, one thread (${engine}).`;
  return `${caption}\n${table([head, ...lines])}`;
}

/** What it says of gates, in a sentence. */
export function comparisonSentence({ rows, batch, ladder, reached }: Comparison): string {
  const [own, all, sameError, sameCost] = rows;
  const won = [sameError.times.one, sameError.times.batch].map(faster);
  const ways = ['one at a time', `${batch} at a time`];
  const pays = won.every(Boolean) ? 'pay' : won.some(Boolean) ? `pay ${ways[won.indexOf(true)]} alone` : 'do not pay';
  const begin = reached
    ? `Gates ${pays} here: beside (c), the smallest dense network of the ladder that errs no more on the validation data`
    : `No dense network of up to ${Math.max(...ladder)} units errs as little on the validation data: beside (c), the best of them`;
  const factors = ({ times: { one, batch: many } }: ComparedNet) => `${times(one)} and ${times(many)} times as fast`;
  return `${begin}, the gated network is ${factors(sameError)}, ${ways.join(' and ')}; beside itself with all blocks computed it is ${factors(all)}; and (d), which costs as many multiply-adds, has a test error of ${percent(sameCost.testError)} against its ${percent(own.testError)}.`;
}
