/** Ours beside PyTorch's: products, softmax, LSTM, CTC, and Adam. Skipped where python3 has no torch. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { adam } from '../../src/optim/index.ts';
import { multiply } from '../../src/tensor/ops/arithmetic.ts';
import { attention } from '../../src/tensor/ops/attention.ts';
import { convolution, depthwise } from '../../src/tensor/ops/convolution.ts';
import { layerNorm } from '../../src/tensor/ops/layer-norm.ts';
import { matmul } from '../../src/tensor/ops/matmul.ts';
import { ctc, lstm } from '../../src/tensor/ops/sequences.ts';
import { softmaxCrossEntropy } from '../../src/tensor/ops/softmax-cross-entropy.ts';
import { Tape } from '../../src/tensor/tape.ts';
import { reference } from '../helpers/engines.ts';
import { assertClose, drawn, normal } from '../helpers/numbers.ts';

/** PyTorch in one process for all programs, which takes seconds to start: a line of JSON in, a line of JSON out. */
const SERVER = `
import json, sys, torch
torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
print('ready', flush=True)
for line in sys.stdin:
    given = json.loads(line)
    names = {'torch': torch, 'a': {k: torch.tensor(v) for k, v in given['arrays'].items()}, 'out': {}}
    exec(given['program'], names)
    print(json.dumps({k: v.detach().reshape(-1).tolist() for k, v in names['out'].items()}), flush=True)`;

interface Server {
  readonly child: ChildProcess;
  readonly answers: AsyncIterator<string>;
}

/** The first Python that has PyTorch: one of one's own may stand before that of the system. */
async function pytorch(): Promise<Server | undefined> {
  for (const command of ['python3', '/usr/bin/python3']) {
    const child = spawn(command, ['-c', SERVER], { stdio: ['pipe', 'pipe', 'ignore'] });
    child.on('error', () => {});
    const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    if ((await answers.next()).value === 'ready') return { child, answers };
  }
  return undefined;
}
const server = await pytorch();
after(() => server?.child.stdin?.end());
const skip = server ? false : 'python3 has no torch; where it has, this compares with it';

/** Runs a program of PyTorch in double precision on named arrays. */
async function torch(
  program: string,
  arrays: Readonly<Record<string, ArrayLike<number>>>,
): Promise<Record<string, number[]>> {
  const given = Object.fromEntries(Object.entries(arrays).map(([name, values]) => [name, Array.from(values)]));
  server?.child.stdin?.write(`${JSON.stringify({ program, arrays: given })}\n`);
  const { value, done } = (await server?.answers.next()) ?? { done: true, value: '' };
  assert.ok(!done, 'PyTorch does not run the program');
  return JSON.parse(value);
}

const close = (actual: ArrayLike<number> | undefined, expected: readonly number[], what: string): void =>
  assertClose(actual ?? [], expected, { relative: 1e-9, absolute: 1e-9 }, what);
const start = (): Tape => {
  reference.beginStep();
  return new Tape(reference);
};

test('a dense layer and the cross-entropy of its softmax', { skip }, async () => {
  const [x, w, b] = [drawn(normal(), 15, 1), drawn(normal(), 12, 2), drawn(normal(), 4, 3)];
  const labels = [3, 0, 1, 1, 2];
  const tape = start();
  const rows = tape.plates.examples(5);
  const [weights, bias] = [reference.tensor(w, [3, 4]), reference.tensor(b)];
  tape.watch([weights, bias]);
  const input = tape.input(reference.tensor(x, [5, 3]), rows, true);
  const marks = reference.allocate([5], 'labels');
  marks.integers.set(labels);
  const losses = softmaxCrossEntropy(
    matmul(input, tape.parameter(weights), tape.parameter(bias)),
    tape.input(marks, rows),
  );
  tape.backward([{ tensor: losses, cotangent: 1 }]);
  const expected = await torch(
    `
x, w, b = a['x'].reshape(5, 3).requires_grad_(), a['w'].reshape(3, 4).requires_grad_(), a['b'].requires_grad_()
out['losses'] = torch.nn.functional.cross_entropy(x @ w + b, a['labels'].long(), reduction='none')
out['losses'].sum().backward()
out['dx'], out['dw'], out['db'] = x.grad, w.grad, b.grad`,
    { x, w, b, labels },
  );
  close(losses.values, expected.losses, 'losses');
  close(tape.gradient(input)?.values, expected.dx, 'input');
  close(tape.gradient(weights)?.values, expected.dw, 'weights');
  close(tape.gradient(bias)?.values, expected.db, 'bias');
});

test('an LSTM, forwards and backwards, on two sequences', { skip }, async () => {
  const [units, lengths] = [3, [4, 2]];
  const [x, r] = [drawn(normal(), 6 * 4 * units, 4), drawn(normal(0.5), units * 4 * units, 5)];
  const weights = drawn(normal(), 6 * units, 6);
  for (const backwards of [false, true]) {
    const tape = start();
    const points = tape.plates.points(Int32Array.of(0, 4, 6));
    const input = tape.input(reference.tensor(x, [6, 4 * units]), points, true);
    const recurrent = reference.tensor(r, [units, 4 * units]);
    tape.watch([recurrent]);
    const h = lstm(input, tape.parameter(recurrent), { backwards });
    const cotangents = tape.input(reference.tensor(weights, [6, units]), points);
    tape.backward([{ tensor: multiply(h, cotangents), cotangent: 1 }]);
    // PyTorch's gates stand in the same order: input, forget, candidate, output; its x·W comes in as an identity.
    const expected = await torch(
      `
n = ${units}
x, r = a['x'].reshape(6, 4 * n).requires_grad_(), a['r'].reshape(n, 4 * n).requires_grad_()
hs = []
for start, length in ((0, ${lengths[0]}), (4, ${lengths[1]})):
    h, c, own = torch.zeros(n), torch.zeros(n), [None] * length
    for t in ${backwards ? 'reversed(range(length))' : 'range(length)'}:
        i, f, g, o = (x[start + t] + h @ r).split(n)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        own[t] = h
    cell = torch.nn.LSTMCell(4 * n, n)
    with torch.no_grad():
        cell.weight_ih.copy_(torch.eye(4 * n)); cell.weight_hh.copy_(r.t()); cell.bias_ih.zero_(); cell.bias_hh.zero_()
    first = ${backwards ? 'length - 1' : '0'}
    assert torch.allclose(cell(x[start + first][None])[0][0], own[first]), 'not the LSTM of PyTorch'
    hs += own
out['h'] = torch.stack(hs)
(out['h'] * a['weights'].reshape(6, n)).sum().backward()
out['dx'], out['dr'] = x.grad, r.grad`,
      { x, r, weights },
    );
    close(h.values, expected.h, 'outputs');
    close(tape.gradient(input)?.values, expected.dx, 'input');
    close(tape.gradient(recurrent)?.values, expected.dr, 'recurrent weights');
  }
});

test('attention of PyTorch, causal and not, on sequences of different lengths', { skip }, async () => {
  const [heads, size, lengths] = [2, 4, [6, 3]];
  const width = heads * size;
  const [x, weights] = [drawn(normal(), 9 * 3 * width, 4), drawn(normal(), 9 * width, 6)];
  for (const causal of [true, false]) {
    const tape = start();
    const points = tape.plates.points(Int32Array.of(0, 6, 9));
    const input = tape.input(reference.tensor(x, [9, 3 * width]), points, true);
    const y = attention(input, { heads, causal });
    const cotangents = tape.input(reference.tensor(weights, [9, width]), points);
    tape.backward([{ tensor: multiply(y, cotangents), cotangent: 1 }]);
    const expected = await torch(
      `
x = a['x'].reshape(9, 3, ${heads}, ${size}).requires_grad_()
ys = []
for start, length in ((0, ${lengths[0]}), (6, ${lengths[1]})):
    q, k, v = x[start:start + length].permute(1, 2, 0, 3)
    scores = q @ k.transpose(-1, -2) / ${size} ** 0.5
    if ${causal ? 'True' : 'False'}:
        scores = scores.masked_fill(torch.ones(length, length).triu(1).bool(), float('-inf'))
    ys.append((scores.softmax(-1) @ v).permute(1, 0, 2).reshape(length, -1))
    if hasattr(torch.nn.functional, 'scaled_dot_product_attention'):
        other = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=${causal ? 'True' : 'False'})
        assert torch.allclose(other.permute(1, 0, 2).reshape(length, -1), ys[-1]), 'not the attention of PyTorch'
out['y'] = torch.cat(ys)
(out['y'] * a['weights'].reshape(9, -1)).sum().backward()
out['dx'] = x.grad`,
      { x, weights },
    );
    close(y.values, expected.y, 'outputs');
    close(tape.gradient(input)?.values, expected.dx, 'input');
  }
});

test('convolutions with strides and padding, and of each channel by itself', { skip }, async () => {
  const [channels, outputs] = [3, 2];
  const x = drawn(normal(), 2 * 5 * 6 * channels, 1);
  for (const [stride, padding, size] of [
    [
      [1, 1],
      [1, 1],
      [3, 3],
    ],
    [
      [2, 1],
      [0, 2],
      [2, 3],
    ],
  ] as const)
    for (const each of [false, true]) {
      const w = drawn(normal(), size[0] * size[1] * channels * (each ? 1 : outputs), 2);
      const b = drawn(normal(), each ? channels : outputs, 3);
      const tape = start();
      const rows = tape.plates.examples(2);
      const input = tape.input(reference.tensor(x, [2, 5, 6, channels]), rows, true);
      const weights = tape.input(reference.tensor(w, [...size, channels, ...(each ? [] : [outputs])]), undefined, true);
      const bias = tape.input(reference.tensor(b), undefined, true);
      const y = (each ? depthwise : convolution)(input, weights, bias, { stride, padding });
      const cotangents = drawn(normal(), y.size, 4);
      tape.backward([
        { tensor: multiply(y, tape.input(reference.tensor(cotangents, y.array.shape), rows)), cotangent: 1 },
      ]);
      const expected = await torch(
        `
x = a['x'].reshape(2, 5, 6, ${channels}).requires_grad_()
w, b = a['w'].reshape(${size[0]}, ${size[1]}, ${channels}, -1).requires_grad_(), a['b'].requires_grad_()
turned = w.permute(${each ? '2, 3, 0, 1' : '3, 2, 0, 1'})
y = torch.nn.functional.conv2d(x.permute(0, 3, 1, 2), turned, b, (${stride}), (${padding}), groups=${each ? channels : 1})
out['y'] = y.permute(0, 2, 3, 1)
(out['y'].reshape(-1) * a['cotangents']).sum().backward()
out['dx'], out['dw'], out['db'] = x.grad, w.grad, b.grad`,
        { x, w, b, cotangents },
      );
      close(y.values, expected.y, 'outputs');
      close(tape.gradient(input)?.values, expected.dx, 'input');
      close(tape.gradient(weights)?.values, expected.dw, 'weights');
      close(tape.gradient(bias)?.values, expected.db, 'bias');
    }
});

test('layer normalisation', { skip }, async () => {
  const [x, gain, bias, weights] = [35, 7, 7, 35].map((count, i) => drawn(normal(), count, 20 + i));
  const tape = start();
  const rows = tape.plates.examples(5);
  const input = tape.input(reference.tensor(x, [5, 7]), rows, true);
  const [g, b] = [gain, bias].map((values) => tape.input(reference.tensor(values), undefined, true));
  const y = layerNorm(input, g, b);
  tape.backward([{ tensor: multiply(y, tape.input(reference.tensor(weights, [5, 7]), rows)), cotangent: 1 }]);
  const expected = await torch(
    `
x, g, b = a['x'].reshape(5, 7).requires_grad_(), a['gain'].requires_grad_(), a['bias'].requires_grad_()
out['y'] = torch.nn.functional.layer_norm(x, (7,), g, b)
(out['y'] * a['weights'].reshape(5, 7)).sum().backward()
out['dx'], out['dg'], out['db'] = x.grad, g.grad, b.grad`,
    { x, gain, bias, weights },
  );
  close(y.values, expected.y, 'outputs');
  for (const [tensor, name] of [
    [input, 'dx'],
    [g, 'dg'],
    [b, 'db'],
  ] as const)
    close(tape.gradient(tensor)?.values, expected[name], name);
});

test('CTC: losses and gradients of two sequences', { skip }, async () => {
  const [classes, lengths, strings] = [
    4,
    [6, 5],
    [
      [1, 1, 2],
      [0, 3],
    ],
  ];
  const logits = drawn(normal(2), 11 * (classes + 1), 7);
  const tape = start();
  const points = tape.plates.points(Int32Array.of(0, 6, 11));
  const input = tape.input(reference.tensor(logits, [11, classes + 1]), points, true);
  const losses = ctc(input, { labels: Int32Array.from(strings.flat()), offsets: Int32Array.of(0, 3, 5) });
  tape.backward([{ tensor: losses, cotangent: 1 }]);
  const expected = await torch(
    `
x = a['logits'].reshape(11, ${classes + 1}).requires_grad_()
parts = x.log_softmax(-1).split([${lengths}])
padded = torch.nn.utils.rnn.pad_sequence(parts)
out['losses'] = torch.nn.functional.ctc_loss(padded, a['labels'].long(), torch.tensor([${lengths}]), torch.tensor([3, 2]), blank=${classes}, reduction='none')
out['losses'].sum().backward()
out['dx'] = x.grad`,
    { logits, labels: strings.flat() },
  );
  close(losses.values, expected.losses, 'losses');
  close(tape.gradient(input)?.values, expected.dx, 'logits');
});

test('Adam: ten steps', { skip }, async () => {
  const [w, gradients] = [drawn(normal(), 7, 8), drawn(normal(), 70, 9)];
  reference.beginStep();
  const parameter = reference.parameter([7], 'weights');
  parameter.values.set(w);
  const optimizer = adam({ learningRate: 0.03, beta1: 0.8, beta2: 0.95 });
  const slots = optimizer.init(reference, parameter);
  for (let step = 1; step <= 10; step++) {
    const gradient = reference.tensor(gradients.subarray(7 * (step - 1), 7 * step));
    optimizer.update(reference, parameter, gradient, slots, { learningRate: 0.03, gradientScale: 1, step });
  }
  const expected = await torch(
    `
w = a['w'].requires_grad_()
optimizer = torch.optim.Adam([w], lr=0.03, betas=(0.8, 0.95), eps=1e-8)
for g in a['gradients'].reshape(10, 7):
    w.grad = g
    optimizer.step()
out['w'] = w`,
    { w, gradients },
  );
  close(parameter.values, expected.w, 'weights');
});
