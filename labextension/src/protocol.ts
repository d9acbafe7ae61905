/** The comm between kernel and front end, as types. One comm per kernel connection; `op` says what. */

export const COMM_TARGET = 'jupyter_codeact';
export const KERNEL_NAME = 'codeact';
export const IMPLEMENTATION = 'jupyter_codeact';

/** The key of a cell's metadata that says who wrote it. */
export const METADATA_KEY = 'jupyter_codeact';

export type CellStatus = 'proposed' | 'accepted' | 'edited' | 'rejected' | 'failed' | 'stopped';

export interface CellMetadata {
  run: string;
  step: number;
  status: CellStatus;
  /** The source as the model wrote it, where the person changed it. */
  proposed?: string;
  /** Why she rejected it. */
  reason?: string;
}

export type RunState =
  'thinking' | 'writing' | 'waiting' | 'running' | 'saving' | 'retrying' | 'done';

export interface AttachedMessage {
  op: 'attached';
  /** Id of the `%%agent` cell, and of the request that runs it, where a run is under way. */
  cell?: string;
  request?: string;
}

export interface StatusMessage {
  op: 'status';
  run: string;
  /** Id of the `%%agent` cell. */
  cell: string;
  state: RunState;
  text: string;
  /** Seconds this run has taken so far. */
  elapsed_s: number;
  tokens: number;
  /** Whether Run all is on. */
  auto: boolean;
}

export interface ProposeMessage {
  op: 'propose';
  run: string;
  /** From 1. */
  step: number;
  id: string;
  /** Id of the cell to insert after. */
  after: string;
  cell: string;
}

export interface ReadyMessage {
  op: 'ready';
  id: string;
  source: string;
  tokens: number;
  /** Already in words: "$0.004" or "cost unknown". */
  cost: string;
  auto: boolean;
}

export interface SettleMessage {
  op: 'settle';
  id: string;
  status: Exclude<CellStatus, 'proposed'>;
  proposed?: string;
  reason?: string;
}

export interface ConfirmMessage {
  op: 'confirm';
  run: string;
  id: string;
  cell: string;
  text: string;
  tokens: number;
  cost: string;
}

/** Another page was opened on the notebook, and has the run of `cell` from here on. */
export interface MovedMessage {
  op: 'moved';
  cell: string;
}

export type FromKernel =
  | AttachedMessage
  | StatusMessage
  | ProposeMessage
  | { op: 'append'; id: string; text: string }
  | ReadyMessage
  | SettleMessage
  | { op: 'running'; id: string }
  | { op: 'withdraw'; id: string }
  | ConfirmMessage
  | { op: 'confirmed'; id: string }
  | MovedMessage
  | { op: 'over' };

export type ToKernel =
  | { op: 'attach' }
  | { op: 'reject'; id: string; reason: string; removed?: true }
  | { op: 'approve'; id: string }
  | { op: 'auto'; on: boolean }
  | { op: 'stop' };

export type Send = (message: ToKernel) => void;

/** The fields whose presence makes a message of each kind usable. */
const REQUIRED: Record<FromKernel['op'], readonly string[]> = {
  attached: [],
  status: ['run', 'cell', 'state', 'text', 'elapsed_s', 'tokens'],
  propose: ['run', 'step', 'id', 'after'],
  append: ['id', 'text'],
  ready: ['id', 'source'],
  settle: ['id', 'status'],
  running: ['id'],
  withdraw: ['id'],
  confirm: ['id', 'cell', 'text'],
  confirmed: ['id'],
  moved: ['cell'],
  over: []
};

/** The message in `data`, or null where a newer kernel says something this front end does not know. */
export function parseMessage(data: unknown): FromKernel | null {
  if (!isRecord(data) || typeof data.op !== 'string' || !Object.hasOwn(REQUIRED, data.op)) {
    return null;
  }
  const required = REQUIRED[data.op as FromKernel['op']];
  return required.every(name => data[name] !== undefined) ? (data as unknown as FromKernel) : null;
}

const STATUSES: readonly string[] = [
  'proposed',
  'accepted',
  'edited',
  'rejected',
  'failed',
  'stopped'
];

/** What a cell's metadata says of the agent, or null where it says nothing usable. */
export function parseMetadata(value: unknown): CellMetadata | null {
  if (!isRecord(value) || !STATUSES.includes(value.status as string)) {
    return null;
  }
  return {
    run: typeof value.run === 'string' ? value.run : '',
    step: typeof value.step === 'number' ? value.step : 0,
    status: value.status as CellStatus,
    ...(typeof value.proposed === 'string' ? { proposed: value.proposed } : {}),
    ...(typeof value.reason === 'string' ? { reason: value.reason } : {})
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
