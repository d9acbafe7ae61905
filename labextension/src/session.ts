import { Notification } from '@jupyterlab/apputils';
import type { Cell, ICodeCellModel } from '@jupyterlab/cells';
import type { IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import { type Notebook, NotebookActions, type NotebookPanel } from '@jupyterlab/notebook';
import type { IDisposable } from '@lumino/disposable';

import { Attachment } from './attach';
import { findCell } from './cells';
import { Confirms } from './confirms';
import { element } from './dom';
import { Marks } from './marks';
import { Orphans } from './orphans';
import { Prompts } from './prompts';
import { Proposals } from './proposals';
import type { AttachedMessage, FromKernel, Send, StatusMessage } from './protocol';
import { Slot } from './slot';
import { StatusBar } from './status';

/** On a notebook whose kernel has the agent. */
export const NOTEBOOK_CLASS = 'jp-CodeAct-notebook';

interface Status {
  bar: StatusBar;
  slot: Slot;
  isDeleted: boolean;
}

const MOVED = 'Another window has this run. Reload this page to have it here.';
const TAKEN_BACK = 'Waiting for you: Redo brings the cell back';
const DELETED =
  'The cell of this run is gone; the run goes on. `%agent history` will have its answer.';
const ENDED = 'This run is over: its kernel has ended.';
const LEFT =
  'What the agent proposed and you did not run is an ordinary cell: run it, or remove it.';

function noteOf(text: string): HTMLElement {
  return element('div', 'jp-CodeAct-status', text, { role: 'status' });
}

/** The agent in one notebook panel: its comm, and everything of it that shows. */
export class AgentSession implements IDisposable {
  isDisposed = false;
  readonly proposals: Proposals;
  private readonly confirms: Confirms;
  private readonly marks: Marks;
  private readonly attachment: Attachment;
  private status: Status | null = null;
  private orphans: Orphans | null = null;
  private prompts: Prompts | null = null;
  private note: Slot | null = null;
  private refreshing = false;

  /** `panel`: its document is loaded. */
  constructor(
    private readonly panel: NotebookPanel,
    languages: IEditorLanguageRegistry
  ) {
    const send: Send = message => this.attachment.send(message);
    this.proposals = new Proposals(panel, send, () => this.marks);
    this.confirms = new Confirms(panel.content, send);
    this.marks = new Marks(panel.content, id => this.proposals.has(id));
    panel.content.model?.cells.changed.connect(this.onCellsChanged, this);
    NotebookActions.executionScheduled.connect(this.onScheduled, this);
    panel.disposed.connect(this.dispose, this);
    this.attachment = new Attachment(panel.sessionContext, {
      onMessage: message => this.receive(message),
      onAttach: () => {
        panel.content.addClass(NOTEBOOK_CLASS);
        this.prompts ??= new Prompts(panel.content, languages);
      },
      onEnd: () => this.end()
    });
  }

  /** Whether a run is under way that this front end knows of. */
  get isRunning(): boolean {
    return this.status !== null;
  }

  stop(): void {
    this.attachment.send({ op: 'stop' });
  }

  dispose(): void {
    if (this.isDisposed) {
      return;
    }
    this.isDisposed = true;
    this.panel.content.model?.cells.changed.disconnect(this.onCellsChanged, this);
    NotebookActions.executionScheduled.disconnect(this.onScheduled, this);
    this.attachment.dispose();
    this.proposals.dispose();
    this.confirms.dispose();
    this.marks.dispose();
    this.prompts?.dispose();
    this.orphans?.dispose();
    this.note?.dispose();
    this.closeStatus();
  }

  private receive(message: FromKernel): void {
    switch (message.op) {
      case 'attached':
        // A run that is under way is told anew.
        if (message.cell) {
          this.reset();
        } else {
          this.end();
        }
        this.adopt(message);
        break;
      case 'status':
        this.showStatus(message);
        break;
      case 'propose':
        this.proposals.propose(message);
        break;
      case 'append':
        this.proposals.append(message.id, message.text);
        break;
      case 'ready':
        this.proposals.ready(message);
        break;
      case 'running':
        this.proposals.running(message.id);
        break;
      case 'settle':
        this.proposals.settle(message);
        break;
      case 'withdraw':
        this.proposals.withdraw(message.id);
        break;
      case 'confirm':
        this.confirms.ask(message);
        break;
      case 'confirmed':
        this.confirms.close(message.id);
        break;
      case 'moved':
        this.reset();
        this.note = new Slot(this.panel.content, message.cell, noteOf(MOVED));
        break;
      case 'over':
        this.reset();
        break;
    }
  }

  private adopt({ cell, request }: AttachedMessage): void {
    const kernel = this.panel.sessionContext.session?.kernel;
    // Where people share the document, the page that asked writes into it for all.
    if (kernel && cell && request && !this.panel.context.model.collaborative) {
      this.orphans = new Orphans(kernel, request, this.panel.content, cell);
    }
  }

  private showStatus(message: StatusMessage): void {
    if (message.state === 'done') {
      this.reset();
      return;
    }
    if (this.status?.slot.cellId !== message.cell) {
      this.closeStatus();
      const bar = new StatusBar({
        onStop: () => this.stop(),
        onReviewEachStep: () => this.attachment.send({ op: 'auto', on: false })
      });
      this.status = {
        bar,
        slot: new Slot(this.panel.content, message.cell, bar.node),
        isDeleted: false
      };
    }
    this.status.bar.show(message);
  }

  private closeStatus(): void {
    this.status?.slot.dispose();
    this.status?.bar.dispose();
    this.status = null;
  }

  /** The run ended and nobody told: say so where its answer would stand, for readers of the file, too. */
  private end(): void {
    const cell = this.status && findCell(this.panel.content, this.status.slot.cellId);
    const words = this.proposals.isOpen ? `${ENDED} ${LEFT}` : ENDED;
    this.reset();
    const model = cell?.model as ICodeCellModel | undefined;
    // With a count it has had its reply, and all outputs before.
    if (model && model.executionCount === null) {
      const data = { 'text/markdown': words, 'text/plain': words };
      model.outputs.add({ output_type: 'display_data', data, metadata: {} });
    }
  }

  private reset(): void {
    this.orphans?.dispose();
    this.orphans = null;
    this.note?.dispose();
    this.note = null;
    this.closeStatus();
    this.confirms.reset();
    this.proposals.reset();
  }

  private onCellsChanged(): void {
    if (this.refreshing) {
      return;
    }
    // A move is a removal and an insertion: look when both have happened.
    this.refreshing = true;
    queueMicrotask(() => {
      this.refreshing = false;
      if (!this.isDisposed && !this.panel.content.isDisposed) {
        this.proposals.refresh();
        this.confirms.refresh();
        this.status?.bar.hint(this.proposals.isTakenBack ? TAKEN_BACK : '');
        this.status?.slot.refresh();
        this.note?.refresh();
        this.tellOfDeletion();
        this.marks.refresh();
        this.prompts?.refresh();
      }
    });
  }

  /** The run goes on without its cell, and so without a place for its answer. */
  private tellOfDeletion(): void {
    const { status } = this;
    if (status && !status.isDeleted && !findCell(this.panel.content, status.slot.cellId)) {
      status.isDeleted = true;
      Notification.info(DELETED, { autoClose: false });
    }
  }

  private onScheduled(_: unknown, { notebook, cell }: { notebook: Notebook; cell: Cell }): void {
    if (notebook === this.panel.content) {
      this.proposals.sent(cell.model.id);
    }
  }
}
