import type { Message } from '../io/protobuf.ts';
import { type Attribute, type Constant, graphProto, nodeProto, tensorProto, type ValueInfo } from './onnx-format.ts';

/** A graph of ONNX operators that grows node by node; values go by their names. */
export class OnnxGraph {
  /** Stands before the names of nodes: the part of the network that they belong to. */
  scope = '';
  private readonly nodes: Message[] = [];
  private readonly constants = new Map<string, Message>();

  /** Adds a node. @returns the name of its (first) output */
  add(operator: string, inputs: readonly string[], attributes: Readonly<Record<string, Attribute>> = {}, outputs = 1) {
    const name = `${this.scope}/${operator}_${this.nodes.length}`;
    const names = Array.from({ length: outputs }, (_, i) => (i === 0 ? name : `${name}.${i}`));
    this.nodes.push(nodeProto({ operator, inputs, outputs: names, attributes }));
    return name;
  }

  /** Gives a value a name of its own. */
  rename(value: string, name: string): void {
    this.nodes.push(nodeProto({ operator: 'Identity', inputs: [value], outputs: [name] }));
  }

  /** Adds an array under a name, once. @returns the name */
  constant(name: string, constant: Constant): string {
    if (!this.constants.has(name)) this.constants.set(name, tensorProto(constant, name));
    return name;
  }

  /** A float without dimensions. */
  number(value: number): string {
    return this.constant(`number ${value}`, { shape: [], values: Float32Array.of(value) });
  }

  /** Whole numbers as a vector: shapes, axes, indices. */
  integers(...values: number[]): string {
    return this.constant(`integers ${values.join(' ')}`, { shape: [values.length], values: values.map(BigInt) });
  }

  /** A whole number without dimensions. */
  integer(value: number): string {
    return this.constant(`integer ${value}`, { shape: [], values: [BigInt(value)] });
  }

  /** An array of one number in the shape of a value. */
  filled(like: string, value: number): string {
    return this.add('Expand', [this.number(value), this.add('Shape', [like])]);
  }

  /** GraphProto. */
  message(graph: { name: string; inputs: readonly ValueInfo[]; outputs: readonly ValueInfo[] }): Message {
    return graphProto({ ...graph, nodes: this.nodes, constants: [...this.constants.values()] });
  }
}
