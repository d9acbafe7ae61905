import type { CellMetadata, CellStatus } from './protocol';
import { dotted } from './words';

/** How a cell the agent wrote shows once no run holds it open. */
export interface Look {
  className: string;
  /** Tooltip of the mark in the gutter. */
  title: string;
  /** A line under the editor, or null. */
  note: string | null;
  /** Whether the note offers to remove the cell. */
  removable: boolean;
}

export const LOOK_CLASSES = [
  'jp-CodeAct-accepted',
  'jp-CodeAct-rejected',
  'jp-CodeAct-unused'
] as const;

/** A run that ended without a word, with its kernel, leaves a cell that ran as a proposal. */
const RAN_AFTER_ALL: Partial<Record<CellStatus, CellStatus>> = {
  proposed: 'stopped',
  rejected: 'accepted'
};

const WHO: Record<CellStatus, string> = {
  proposed: 'Proposed by the agent, never run',
  accepted: 'Written by the agent',
  edited: 'Written by the agent, edited by you',
  failed: 'Written by the agent, failed',
  stopped: 'Written by the agent, stopped',
  rejected: 'Proposed by the agent, rejected'
};

/**
 * How a settled cell looks, from what is saved in the notebook.
 *
 * `executed`: it has been run since it was written. `code`: it is a code cell (a rejected one is raw,
 * until she turns it into a code cell again).
 */
export function lookOf(meta: CellMetadata, executed: boolean, code: boolean): Look {
  if (meta.status === 'rejected' && !code) {
    const note = meta.reason ? `Rejected: ${meta.reason}` : 'Rejected';
    return look('jp-CodeAct-rejected', meta, meta.status, note);
  }
  if (executed || meta.status === 'accepted' || meta.status === 'edited') {
    // Whatever it was before, a cell that ran is an ordinary cell now.
    const ran = RAN_AFTER_ALL[meta.status] ?? meta.status;
    return look('jp-CodeAct-accepted', meta, ran, null);
  }
  if (meta.status === 'failed') {
    return look('jp-CodeAct-accepted', meta, meta.status, null);
  }
  return look('jp-CodeAct-unused', meta, 'proposed', 'Proposed, never run');
}

function look(className: string, meta: CellMetadata, who: CellStatus, note: string | null): Look {
  const title = dotted(
    WHO[who],
    meta.run && `run ${meta.run.slice(0, 8)}`,
    meta.step > 0 && `step ${meta.step}`
  );
  return { className, title, note, removable: note !== null };
}
