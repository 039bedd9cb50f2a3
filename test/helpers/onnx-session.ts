import { env, InferenceSession, Tensor } from 'onnxruntime-web';

// One thread: the pool of several outlives the test.
env.wasm.numThreads = 1;
env.logLevel = 'error';

/** An ONNX file in onnxruntime, which knows nothing of us. */
export interface OnnxSession {
  /** features: rows × width → logits and probabilities, rows × classes. */
  run(features: Float32Array, rows: number): Promise<{ logits: Float32Array; probabilities: Float32Array }>;
}

/** Reads and checks a file. Rejects when onnxruntime does not take it. */
export async function onnxSession(bytes: Uint8Array): Promise<OnnxSession> {
  const session = await InferenceSession.create(bytes, { executionProviders: ['wasm'] });
  return {
    async run(features, rows) {
      const input = new Tensor('float32', features, [rows, features.length / rows]);
      const { logits, probabilities } = await session.run({ input });
      return { logits: logits.data as Float32Array, probabilities: probabilities.data as Float32Array };
    },
  };
}
