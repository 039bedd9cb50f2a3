/**
 * flipgrad: neural networks with stochastic neurons and sparse gates. The public surface, and its table of contents.
 * On Node take `createEngine` and `loadDataset` from `flipgrad/node`: they know its threads and files.
 */

// Audit: what a neuron's gradient is worth; what gates cost and save on this machine
export {
  type Advice,
  type AdviseEvent,
  type AdviseOptions,
  advise,
  type MeasuredNeuron,
  type RacedNeuron,
} from './audit/advise.ts';
export { type AuditOptions, auditNeuron, type Interval, type NeuronAudit } from './audit/audit-neuron.ts';
export {
  auditModel,
  auditProgram,
  type ParameterAudit,
  type ProgramAudit,
  type ProgramAuditOptions,
} from './audit/audit-program.ts';
export { type SiteAudit, type SiteAuditOptions, SiteAuditor } from './audit/audit-site.ts';
export { affordable, candidatesOf, suits } from './audit/candidates.ts';
export { type CertifyOptions, certify } from './audit/certify.ts';
export {
  type CrossoverCurve,
  DENSITIES,
  type DensityPoint,
  measureCrossover,
  measureWaterfall,
  type Waterfall,
} from './audit/crossover.ts';
export type { ProgramSite } from './audit/enumerate-program.ts';
export type { GatedShape } from './audit/gated-work.ts';
export { type GradientErrors, gradientErrors } from './audit/gradient-errors.ts';
export type { GradientObserver, Loss } from './audit/integrate.ts';
export {
  type Bar,
  isSingleUnit,
  lookAtUnit,
  type MicroscopeOptions,
  type UnitLossName,
  type UnitView,
  unitLosses,
} from './audit/microscope.ts';
export { type Problem, type ProblemName, problemKinds } from './audit/problems.ts';
export type { RaceResult, RaceTrack } from './audit/race.ts';
export { type RaceArm, raceArm } from './audit/race-arm.ts';
export { type RaceCurvePoint, raceCurve } from './audit/race-curve.ts';
export { replayDigest } from './audit/replay.ts';
export { unitOf } from './audit/unit-of.ts';
export { combinationsOf, type Variant, variants } from './audit/variants.ts';
export { FALSE_ALARM, type TestOptions, type Verdict, worstOf } from './audit/verdict.ts';
export {
  type RaceEvent,
  type RaceFailure,
  type RaceMeasure,
  type RacePoint,
  type RaceScore,
  type RaceStanding,
  type WatchRaceOptions,
  watchRace,
} from './audit/watch-race.ts';
// Engine: kernels, threads, heap, tape
export type { Crossover, Crossovers } from './backend/crossovers.ts';
export { createEngine, type Engine, type EngineOptions, type EnginePlatform } from './backend/engine.ts';
export { HeapError } from './backend/heap.ts';
export { NdArray } from './backend/nd-array.ts';
export { serveKernels, type WorkerHandle, type WorkerInit } from './backend/pool.ts';
// Data sets
export {
  DataError,
  type Dataset,
  featuresOf,
  makeDataset,
  type Split,
  slice,
  splitOff,
  subset,
} from './data/dataset.ts';
export { type DigitsDataset, type DigitsSplit, digits, digitsSplit } from './data/digits.ts';
export { labelledRows, targetRows } from './data/encode-table.ts';
export type { Picture } from './data/grey-picture.ts';
export type { DataKind, DataKinds, DataShape } from './data/kinds.ts';
export { type PenStrings, type PenStringsOptions, penStrings } from './data/pen-strings.ts';
export { fitPicture } from './data/picture.ts';
export type { FittedPicture } from './data/picture-fitter.ts';
export { joinSequences, type LabelledSequence, type SequenceDataset } from './data/sequences.ts';
export type { RawTable } from './data/table.ts';
export type { TableForm, TableOptions } from './data/table-form.ts';
export { inputsOfPixels } from './data/table-picture.ts';
export { featureNames, type TableReading } from './data/table-reading.ts';
export { readingText } from './data/table-text.ts';
export { makeTargets, type TargetDataset, type TargetUnits } from './data/targets.ts';
export { contexts, lastContext, textParts, windows } from './data/text.ts';
export { makeTokens, type TokenDataset } from './data/tokens.ts';
// Gates
export type { BalanceOptions } from './gates/balance.ts';
export {
  type PenaltyContext,
  penalties,
  type SparsityPenalty,
  type SparsitySpec,
} from './gates/index.ts';
export type { OwnCode } from './io/build-model.ts';
// Files: models, arrays, checkpoints, logs, exports
export { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from './io/checkpoint.ts';
export { type EventHistogram, encodeEvent, eventFileHeader, type LoggedEvent } from './io/event-file.ts';
export { FormatError } from './io/format-error.ts';
export { type LoadModelOptions, loadModel, saveModel } from './io/model-file.ts';
export { decodeSafetensors, encodeSafetensors, type NamedTensor, type Safetensors } from './io/safetensors.ts';
export type { FrozenMode } from './lower/lower.ts';
export { exportOneFile, type OneFileOptions } from './lower/one-file.ts';
export { exportOnnx, type OnnxFile, type OnnxOptions } from './lower/onnx.ts';
// Neurons
export { type Estimate, type Repeats, repeatsOf } from './math/repeats.ts';
export { logit, normalCdf, sigmoid, sigmoidSlope, softplus, softplusSlope } from './math/special.ts';
export { median } from './math/statistics.ts';
export { studentCdf, studentQuantile } from './math/student.ts';
export {
  type Claims,
  defineNeuron,
  fireEach,
  LEAST_OPEN,
  type Neuron,
  type NeuronDefinition,
  type NeuronRule,
  type Opening,
  type OptionSpec,
  openingEach,
  pullbackEach,
} from './neurons/contract.ts';
export { type Formula, type Formulas, f, type RowFormula } from './neurons/formula.ts';
export { type NeuronName, zoo } from './neurons/index.ts';
export { instantiate, type NeuronSpec, resolveNeuron } from './neurons/resolve.ts';
// Layers and models
export { type AttentionSpec, attention } from './nn/attention.ts';
export { type ConditionalOptions, type ConditionalSpec, conditional } from './nn/conditional.ts';
export { type ConvolutionSpec, convolution, type WindowOptions } from './nn/convolution.ts';
export { type DenseSpec, dense } from './nn/dense.ts';
export { type DepthwiseSpec, depthwise } from './nn/depthwise.ts';
export { type DropoutSpec, dropout } from './nn/dropout.ts';
export { type EmbeddingSpec, embedding } from './nn/embedding.ts';
export type { RateSpread, SiteHealth } from './nn/firing-site.ts';
export type { GateOptions } from './nn/gate-options.ts';
export { type GatedSpec, gated } from './nn/gated.ts';
export type { Hold } from './nn/hold.ts';
export { changeInside, hasGates, layersInside, ungated } from './nn/layer-kinds.ts';
export { type LstmSpec, lstm } from './nn/lstm.ts';
export type { ParameterOptions } from './nn/make-parameter.ts';
export {
  createModel,
  type LayerSpec,
  Model,
  type ModelDescription,
  type ModelSpec,
  type Snapshot,
} from './nn/model.ts';
export { type LayerDescription, type Module, module } from './nn/module.ts';
export { type NormSpec, norm } from './nn/norm.ts';
export { type ParallelOptions, type ParallelSpec, parallel } from './nn/parallel.ts';
export { layerForms, layersText, parseLayers } from './nn/parse-layers.ts';
export type { Mode, Pass } from './nn/pass.ts';
export { type PoolSpec, pool } from './nn/pool.ts';
export { type PositionsSpec, positions } from './nn/positions.ts';
export { channelBlocks, earlyExits, experts, skipped } from './nn/presets.ts';
export { type ReshapeSpec, reshape } from './nn/reshape.ts';
export { type ResidualSpec, residual } from './nn/residual.ts';
export type { Scope, SiteOptions } from './nn/scope.ts';
export { type SequentialSpec, sequential } from './nn/sequential.ts';
export { type SignsSpec, signs } from './nn/signs.ts';
export {
  type AdaptiveWeightNoise,
  adaptiveWeightNoise,
  type FixedWeightNoise,
  fixedWeightNoise,
  type WeightNoiseSpec,
} from './nn/weight-noise.ts';
// Optimizers
export { adam, type Optimizer, resolveOptimizer, sgd } from './optim/index.ts';
// Random numbers
export { type RandomStream, randomStream } from './random/stream.ts';
// Runs: records, checkpoints, resuming
export { type Folder, type FolderLock, StorageError } from './runs/folder.ts';
export { LOG_NAMES, type LogName } from './runs/logs.ts';
export type { MetricsLine, SessionEvent } from './runs/metrics.ts';
export { neededFiles, type OwnFile } from './runs/own.ts';
export {
  type DataFacts,
  type EngineFacts,
  RUN_FORMAT,
  type RunRecord,
  type TrainingSettings,
  trainOptions,
} from './runs/record.ts';
export { resultText } from './runs/result-text.ts';
export { Run, type SavedState } from './runs/run.ts';
export { runModel } from './runs/run-model.ts';
export { differences, type RunSummary, summarize } from './runs/summary.ts';
// Sweeps: definitions, what to train next, rankings
export { checkSweep, defineSweep, type Sweep, type SweepDefinition } from './runs/sweep/definition.ts';
export { type Configuration, planSweep, type SweepPlan } from './runs/sweep/plan.ts';
export type { Pruning } from './runs/sweep/pruning.ts';
export {
  type MeanInterval,
  meanInterval,
  type RankedConfiguration,
  reportSweep,
  type SweepReport,
} from './runs/sweep/report.ts';
export { type Retryable, retryable } from './runs/sweep/retryable.ts';
export type { Dimension, Range, Space, TrainSpace } from './runs/sweep/space.ts';
export type { Setting, Settings, TrainSettings } from './runs/sweep/train-settings.ts';
export { metricOf, type PastFailure, type Trial, type TrialOutcome } from './runs/sweep/trial.ts';
export { trainCheck } from './runs/train-check.ts';
export {
  type ResumedEvent,
  type RunEvent,
  type SavedEvent,
  type TrainRunOptions,
  trainRun,
} from './runs/train-run.ts';
// Tasks: what is minimised and what is measured
export { type ClassificationEpoch, classification, placeBatch } from './tasks/classification.ts';
export { type CtcEpoch, ctc } from './tasks/ctc.ts';
export { type Batch, epochOrder } from './tasks/examples.ts';
export { describeTask, resolveTask, type TaskDescription, type TaskName, tasks } from './tasks/index.ts';
export { type MultiLabelEpoch, multiLabel } from './tasks/multi-label.ts';
export { type NextTokenEpoch, nextToken } from './tasks/next-token.ts';
export {
  type EpochChart,
  type EpochColumn,
  epochCharts,
  epochColumns,
  type Figure,
  figureText,
  nameIn,
  type Reading,
  readingOf,
  resultFigures,
  scoreOf,
} from './tasks/reading.ts';
export { type RegressionEpoch, type RegressionOptions, regression } from './tasks/regression.ts';
export {
  type Answer,
  type Figures,
  type Outcome,
  type Parts,
  shapeOf,
  type Task,
  type TaskBatch,
  type TaskData,
} from './tasks/task.ts';
export { type VaeEpoch, type VaeOptions, type VaeResult, vae } from './tasks/vae.ts';
export { measureVae, type VaeBound, type VaeBoundOptions } from './tasks/vae-bound.ts';
export { latentSite, startAtMeans, type VaeKind, vaeLayers } from './tasks/vae-pass.ts';
export { ExportError } from './tensor/export-error.ts';
export { NonFiniteError } from './tensor/non-finite-error.ts';
export { penalty } from './tensor/ops/penalty.ts';
export { softmaxCrossEntropy } from './tensor/ops/softmax-cross-entropy.ts';
export { Tape } from './tensor/tape.ts';
export { Tensor } from './tensor/tensor.ts';
// Training and evaluation
export { alternate, alternateAwaited, type RoundOptions, type RoundTimes, ratioOf } from './train/alternate.ts';
export { calibrate } from './train/calibrate.ts';
export {
  CompiledModel,
  type CompileOptions,
  compile,
  type InferenceMode,
  type OpenGates,
  type Prediction,
  type PredictOptions,
} from './train/compile.ts';
export { EstimatorProbe, type EstimatorProbeOptions, type EstimatorProbeRow, siteOf } from './train/estimator-probe.ts';
export {
  type EvaluateOptions,
  type Evaluation,
  evaluate,
  evaluateTask,
  type TaskEvaluation,
} from './train/evaluate.ts';
export type {
  BatchEvent,
  EpochEvent,
  EpochFacts,
  InModes,
  MeasuredResult,
  MeasureEvent,
  ResultEvent,
  ResultFacts,
  TaskEpochEvent,
  TaskEvent,
  TaskResultEvent,
  TrainEvent,
  VaeEpochEvent,
  VaeEvent,
  VaeResultEvent,
} from './train/events.ts';
export { type GateExamples, gateExamples } from './train/gate-examples.ts';
export { gateInformation } from './train/gate-information.ts';
export { type GateRates, gateRates } from './train/gate-rates.ts';
export { type GeneratedByte, type GenerateOptions, generate } from './train/generate.ts';
export { denseTwin, type InferenceReport, measureInference } from './train/measure-inference.ts';
export { evaluateEnsemble, predictTask, type TaskPrediction } from './train/predict.ts';
export { type Measured, type SiteGradient, SiteGradients } from './train/site-gradients.ts';
export {
  checkProgress,
  type Progress,
  type TrainingProgress,
  type TrainingState,
  type VaeProgress,
} from './train/state.ts';
export { type PredictionTimesOptions, timePredictions } from './train/time-predictions.ts';
export { train } from './train/train.ts';
export type { LoopOptions, TaskOptions, Training, TrainOptions } from './train/train-options.ts';
