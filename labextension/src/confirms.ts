import type { Notebook } from '@jupyterlab/notebook';
import type { IDisposable } from '@lumino/disposable';

import { ReviewBar } from './bar';
import { focusNotebook, isTypingElsewhere, showCell } from './cells';
import type { ConfirmMessage, Send } from './protocol';
import { Slot } from './slot';
import { dotted, tokensShort } from './words';

interface Confirm {
  bar: ReviewBar;
  slot: Slot;
}

/** Edits of the skill library that wait for her, asked in the `%%agent` cell below their diff. */
export class Confirms implements IDisposable {
  isDisposed = false;
  private readonly open = new Map<string, Confirm>();

  constructor(
    private readonly notebook: Notebook,
    private readonly send: Send
  ) {}

  ask(message: ConfirmMessage): void {
    this.close(message.id);
    const bar = this.bar(message);
    const slot = new Slot(this.notebook, message.cell, bar.node, 'outputs');
    this.open.set(message.id, { bar, slot });
    if (!isTypingElsewhere(this.notebook, message.cell)) {
      // Shown, not selected: Shift+Enter there would start the agent once more.
      void showCell(this.notebook, message.cell).then(() => bar.scrollIntoView());
    }
  }

  close(id: string): void {
    this.open.get(id)?.slot.dispose();
    this.open.delete(id);
  }

  refresh(): void {
    this.open.forEach(({ slot }) => slot.refresh());
  }

  reset(): void {
    for (const id of Array.from(this.open.keys())) {
      this.close(id);
    }
  }

  dispose(): void {
    this.isDisposed = true;
    this.reset();
  }

  private bar(message: ConfirmMessage): ReviewBar {
    const { id } = message;
    const answer = (state: string, ...messages: Parameters<Send>[0][]): void => {
      focusNotebook(this.notebook);
      this.open.get(id)?.bar.settle(state);
      messages.forEach(this.send);
    };
    return new ReviewBar({
      label: `Agent's proposal, ${message.text}`,
      subject: message.text,
      usage: dotted(message.tokens > 0 && tokensShort(message.tokens), message.cost),
      yes: { name: 'Save', title: 'Write this change to the skill library' },
      onYes: () => answer('Saving', { op: 'approve', id }),
      onReject: reason => answer('Rejected', { op: 'reject', id, reason }),
      onRunAll: () => answer('Saving', { op: 'auto', on: true }, { op: 'approve', id }),
      onStop: () => this.send({ op: 'stop' }),
      onLeave: () => focusNotebook(this.notebook)
    });
  }
}
