import type { NotebookPanel } from '@jupyterlab/notebook';
import type { IDisposable } from '@lumino/disposable';

import {
  changeType,
  deleteMetadata,
  findCell,
  focusNotebook,
  insertCodeCell,
  isTypingElsewhere,
  metadataOf,
  onUndo,
  runCell,
  selectCell,
  setMetadata,
  withdrawCell
} from './cells';
import type { Marks } from './marks';
import { Proposal, type ProposalActions } from './proposal';
import type { CellMetadata, ProposeMessage, ReadyMessage, Send, SettleMessage } from './protocol';

/** The open proposals of one notebook: insert, stream, review, settle. */
export class Proposals implements IDisposable {
  isDisposed = false;
  private readonly open = new Map<string, Proposal>();
  /** Below which cell each was put: where that is gone, the next one goes below the one before it. */
  private readonly above = new Map<string, string>();
  /** Whether the cells have just been changed by Undo. */
  private undone = false;

  constructor(
    private readonly panel: NotebookPanel,
    private readonly send: Send,
    private readonly marks: () => Marks
  ) {
    onUndo(panel.content, () => {
      this.undone = true;
    });
  }

  has(id: string): boolean {
    return this.open.has(id);
  }

  get isOpen(): boolean {
    return this.open.size > 0;
  }

  /** The proposal that waits for her: the active cell's, else any. */
  get waiting(): Proposal | undefined {
    const active = this.open.get(this.panel.content.activeCell?.model.id ?? '');
    const all = Array.from(this.open.values());
    return active?.bar ? active : all.find(proposal => proposal.bar);
  }

  propose(message: ProposeMessage): void {
    const { id, run, step } = message;
    const notebook = this.panel.content;
    this.close(id);
    changeType(notebook, id, 'code');
    const existing = findCell(notebook, id);
    const meta: CellMetadata = { run, step, status: 'proposed' };
    const after = this.anchor(message.after);
    if (after !== id) {
      this.above.set(id, after);
    }
    const cell = existing ?? insertCodeCell(notebook, after, id, meta);
    if (!cell) {
      return;
    }
    if (existing) {
      const { proposed } = metadataOf(cell) ?? {};
      setMetadata(cell, proposed === undefined ? meta : { ...meta, proposed });
    }
    this.open.set(id, new Proposal(notebook, cell, message, !!existing));
    this.marks().refresh();
    this.marks().redraw(cell);
    if (!isTypingElsewhere(notebook, id)) {
      selectCell(notebook, id);
    }
  }

  append(id: string, text: string): void {
    this.open.get(id)?.append(text);
  }

  ready(message: ReadyMessage): void {
    const proposal = this.open.get(message.id);
    if (!proposal) {
      return;
    }
    proposal.fill(message);
    if (message.auto) {
      this.run(proposal);
      return;
    }
    proposal.openBar(message, this.actions(proposal));
    if (this.panel.content.activeCell?.model.id === message.id) {
      void proposal.cell.ready.then(() => proposal.bar?.scrollIntoView());
    }
  }

  /** She ran it; its prompt and the status line say so from here on. */
  running(id: string): void {
    this.open.get(id)?.closeBar();
  }

  settle(message: SettleMessage): void {
    const { id, status } = message;
    this.close(id);
    const cell = findCell(this.panel.content, id);
    if (!cell) {
      return;
    }
    const { run = '', step = 0, proposed } = metadataOf(cell) ?? {};
    const original = status === 'edited' ? (message.proposed ?? proposed) : undefined;
    setMetadata(cell, {
      run,
      step,
      status,
      ...(original !== undefined ? { proposed: original } : {}),
      ...(status === 'rejected' && message.reason ? { reason: message.reason } : {})
    });
    if (status === 'rejected') {
      changeType(this.panel.content, id, 'raw');
    }
    this.marks().refresh();
    this.marks().redraw(cell);
  }

  withdraw(id: string): void {
    this.close(id);
    withdrawCell(this.panel.content, id);
  }

  run(proposal: Proposal): void {
    if (!proposal.isCode) {
      // She made it Markdown, or raw: as such nothing of it would run.
      changeType(this.panel.content, proposal.id, 'code');
      proposal.refresh();
    }
    if (proposal.cell.node.contains(document.activeElement)) {
      focusNotebook(this.panel.content);
    }
    runCell(this.panel, proposal.cell);
  }

  /** A cell was sent to the kernel, by whatever key, button or menu. */
  sent(id: string): void {
    const proposal = this.open.get(id);
    // An empty cell is never sent, so that it goes on waiting.
    if (proposal && proposal.cell.model.sharedModel.getSource().trim() !== '') {
      proposal.bar?.settle('Running');
    }
  }

  /** Whether Undo took the cell of a proposal away. */
  get isTakenBack(): boolean {
    return Array.from(this.open.values()).some(proposal => proposal.isTakenBack);
  }

  /**
   * Cells came, went or moved. One she deleted is one she rejected. One that Undo took away is not: she
   * may have meant a change of her own, and Redo brings it back.
   */
  refresh(): void {
    const { undone } = this;
    this.undone = false;
    for (const [id, proposal] of this.open) {
      const isHere = proposal.refresh();
      this.disown(proposal);
      proposal.isTakenBack = !isHere && (undone || proposal.isTakenBack);
      if (!isHere && !proposal.isTakenBack) {
        this.close(id);
        this.send({ op: 'reject', id, reason: '', removed: true });
      }
    }
  }

  /** The run is gone; what is in the notebook stays as it is. */
  reset(): void {
    for (const id of Array.from(this.open.keys())) {
      this.close(id);
      const cell = findCell(this.panel.content, id);
      if (cell) {
        this.marks().redraw(cell);
      }
    }
  }

  dispose(): void {
    this.isDisposed = true;
    this.open.forEach(proposal => proposal.dispose());
    this.open.clear();
  }

  /** The other half of a cell that she split, or a copy of it, is hers: it is no proposal that waits. */
  private disown({ id, run, step }: Proposal): void {
    for (const cell of this.panel.content.widgets) {
      const meta = cell.model.id === id ? null : metadataOf(cell);
      if (meta?.status === 'proposed' && meta.run === run && meta.step === step) {
        deleteMetadata(cell);
      }
    }
  }

  /** `id`, or the nearest cell above it that is still there. */
  private anchor(id: string): string {
    const above = this.above.get(id);
    return findCell(this.panel.content, id) || above === undefined ? id : this.anchor(above);
  }

  private close(id: string): void {
    this.open.get(id)?.dispose();
    this.open.delete(id);
  }

  private actions(proposal: Proposal): ProposalActions {
    const { id } = proposal;
    return {
      onYes: () => this.run(proposal),
      onReject: reason => {
        focusNotebook(this.panel.content);
        proposal.bar?.settle('Rejected');
        this.send({ op: 'reject', id, reason });
      },
      onRunAll: () => {
        this.send({ op: 'auto', on: true });
        this.run(proposal);
      },
      onStop: () => this.send({ op: 'stop' }),
      onLeave: () => focusNotebook(this.panel.content)
    };
  }
}
