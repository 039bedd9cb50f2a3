/**
 * The messages of an ONNX file that exports write, field numbers included.
 * Source: onnx.proto of the ONNX project (package onnx), IR version 7.
 */
import { Message } from '../io/protobuf.ts';

/** The intermediate representation that came with opset 13's operators (ONNX 1.7 and later). */
export const IR_VERSION = 7;

/** Every operator that exports use has its present form in opset 13 (ONNX 1.8, 2020): runtimes from then on read the files. */
export const OPSET = 13;

/** TensorProto.DataType. */
const DATA_TYPE = { float: 1, int64: 7, bool: 9 } as const;

/** AttributeProto.AttributeType. */
const ATTRIBUTE_TYPE = { int: 2, string: 3, tensor: 4, graph: 5, ints: 7 } as const;

/** An array that stands in the file. */
export interface Constant {
  readonly shape: readonly number[];
  readonly values: Float32Array | readonly bigint[];
}

/** An attribute of a node: a whole number, whole numbers, a word, an array or a graph. */
export type Attribute = number | string | readonly number[] | Constant | { readonly graph: Message };

/** The value of an input or output: float, with a size or a name for every dimension. */
export interface ValueInfo {
  readonly name: string;
  readonly shape: readonly (number | string)[];
}

/** TensorProto, little-endian. */
export function tensorProto({ shape, values }: Constant, name?: string): Message {
  const floats = values instanceof Float32Array;
  return new Message({
    1: [...shape],
    2: floats ? DATA_TYPE.float : DATA_TYPE.int64,
    8: name,
    9: floats ? littleEndian(values) : new Uint8Array(BigInt64Array.from(values).buffer),
  });
}

/** A view of the values' bytes where the machine is little-endian, as all that run JavaScript are in practice. */
function littleEndian(values: Float32Array): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

function attributeProto(name: string, value: Attribute): Message {
  if (typeof value === 'number') return new Message({ 1: name, 3: value, 20: ATTRIBUTE_TYPE.int });
  if (typeof value === 'string') return new Message({ 1: name, 4: value, 20: ATTRIBUTE_TYPE.string });
  if ('graph' in value) return new Message({ 1: name, 6: value.graph, 20: ATTRIBUTE_TYPE.graph });
  if ('shape' in value) return new Message({ 1: name, 5: tensorProto(value as Constant), 20: ATTRIBUTE_TYPE.tensor });
  return new Message({ 1: name, 8: [...(value as readonly number[])], 20: ATTRIBUTE_TYPE.ints });
}

/** NodeProto. */
export function nodeProto(node: {
  readonly operator: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, Attribute>>;
}): Message {
  const attributes = Object.entries(node.attributes ?? {}).map(([name, value]) => attributeProto(name, value));
  return new Message({
    1: [...node.inputs],
    2: [...node.outputs],
    3: node.outputs[0],
    4: node.operator,
    5: attributes,
  });
}

function valueInfoProto({ name, shape }: ValueInfo): Message {
  const dimensions = shape.map((size) => new Message(typeof size === 'number' ? { 1: size } : { 2: size }));
  const tensorType = new Message({ 1: DATA_TYPE.float, 2: new Message({ 1: dimensions }) });
  return new Message({ 1: name, 2: new Message({ 1: tensorType }) });
}

/** GraphProto. */
export function graphProto(graph: {
  readonly name: string;
  readonly nodes: readonly Message[];
  readonly constants: readonly Message[];
  readonly inputs: readonly ValueInfo[];
  readonly outputs: readonly ValueInfo[];
}): Message {
  return new Message({
    1: [...graph.nodes],
    2: graph.name,
    5: [...graph.constants],
    11: graph.inputs.map(valueInfoProto),
    12: graph.outputs.map(valueInfoProto),
  });
}

/** ModelProto. */
export function modelProto(model: {
  readonly graph: Message;
  readonly documentation: string;
  readonly metadata: Readonly<Record<string, string>>;
}): Message {
  return new Message({
    1: IR_VERSION,
    2: 'flipgrad',
    6: model.documentation,
    7: model.graph,
    8: new Message({ 1: '', 2: OPSET }),
    14: Object.entries(model.metadata).map(([key, value]) => new Message({ 1: key, 2: value })),
  });
}
