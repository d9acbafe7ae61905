import type { Cell } from '@jupyterlab/cells';
import type { Notebook } from '@jupyterlab/notebook';
import type { IDisposable } from '@lumino/disposable';

import { type BarOptions, ReviewBar } from './bar';
import { appendSource, findCell, metadataOf, setMetadata, setSource } from './cells';
import { lineDiff } from './diff';
import type { ProposeMessage, ReadyMessage } from './protocol';
import { Slot } from './slot';
import { dotted, tokensShort } from './words';

const PROPOSED = 'jp-CodeAct-proposed';
const FILLING = 'jp-CodeAct-filling';

export type ProposalActions = Pick<
  BarOptions,
  'onYes' | 'onReject' | 'onRunAll' | 'onStop' | 'onLeave'
>;

/** One code action of the agent while it fills and waits: its cell, its bar, her changes to it. */
export class Proposal implements IDisposable {
  isDisposed = false;
  readonly id: string;
  readonly run: string;
  readonly step: number;
  bar: ReviewBar | null = null;
  /** Undo took the insertion of its cell back. */
  isTakenBack = false;
  /** The source as the model wrote it; null while it is still being written. */
  private source: string | null = null;
  private slot: Slot | null = null;
  /** The cell may hold the beginning of this text from before a reload. */
  private stale: boolean;

  constructor(
    private readonly notebook: Notebook,
    public cell: Cell,
    message: ProposeMessage,
    reused: boolean
  ) {
    this.id = message.id;
    this.run = message.run;
    this.step = message.step;
    this.stale = reused;
    this.bind(cell);
  }

  get isFilling(): boolean {
    return this.source === null;
  }

  /** Whether it is still a code cell: with a key she can make it Markdown. */
  get isCode(): boolean {
    return this.cell.model.type === 'code';
  }

  append(text: string): void {
    if (this.stale && !this.isEditedInDocument) {
      setSource(this.cell, '');
    }
    this.stale = false;
    if (this.isFilling && !this.isEditedInDocument) {
      appendSource(this.cell, text);
    }
  }

  /** The text is whole: hers to edit now. */
  fill(message: ReadyMessage): void {
    if (!this.isEditedInDocument) {
      setSource(this.cell, message.source);
    }
    this.source = message.source;
    this.lock(false);
  }

  openBar(message: ReadyMessage, actions: ProposalActions): void {
    this.closeBar();
    this.bar = new ReviewBar({
      ...actions,
      label: `Agent's proposal, step ${this.step}`,
      subject: `step ${this.step}`,
      usage: dotted(message.tokens > 0 && tokensShort(message.tokens), message.cost),
      yes: { name: 'Run', title: 'Run this cell as it stands (Shift+Enter)', hint: '⇧⏎' }
    });
    this.slot = new Slot(this.notebook, this.id, this.bar.node);
    this.compare();
  }

  closeBar(): void {
    this.slot?.dispose();
    this.slot = null;
    this.bar = null;
  }

  /** Follow the cell to its present widget; false where it is gone. */
  refresh(): boolean {
    const cell = findCell(this.notebook, this.id);
    if (cell && cell !== this.cell) {
      this.unbind();
      this.bind(cell);
    }
    this.slot?.refresh();
    return cell !== undefined;
  }

  dispose(): void {
    this.isDisposed = true;
    this.closeBar();
    this.unbind();
  }

  /** Before a reload she had changed it: the text in the document is hers and stays. */
  private get isEditedInDocument(): boolean {
    return metadataOf(this.cell)?.proposed !== undefined;
  }

  private bind(cell: Cell): void {
    this.cell = cell;
    cell.addClass(PROPOSED);
    cell.model.contentChanged.connect(this.compare, this);
    this.lock(this.isFilling);
    this.compare();
  }

  private unbind(): void {
    if (this.cell.isDisposed) {
      return;
    }
    this.cell.model.contentChanged.disconnect(this.compare, this);
    this.lock(false);
    this.cell.removeClass(PROPOSED);
  }

  private lock(locked: boolean): void {
    const { cell } = this;
    cell.toggleClass(FILLING, locked);
    if (locked) {
      // The editor only: with syncEditable on, a half-written cell would be saved as read-only.
      cell.syncEditable = false;
      cell.readOnly = true;
    } else {
      cell.readOnly = false;
      cell.syncEditable = true;
    }
  }

  private compare(): void {
    const meta = metadataOf(this.cell);
    if (this.source === null || !meta) {
      return;
    }
    const source = this.cell.model.sharedModel.getSource();
    const edited = source !== this.source;
    if (edited !== (meta.proposed !== undefined)) {
      const { run, step, status } = meta;
      const proposed = edited ? { proposed: this.source } : {};
      setMetadata(this.cell, { run, step, status, ...proposed });
    }
    this.bar?.setChanges(edited ? lineDiff(this.source, source) : null, this.isCode);
  }
}
