import { type DiffLine, renderDiff } from './diff';
import { button, element, OWN_KEYS, roving } from './dom';
import { dotted } from './words';

export const RUN_ALL_TITLE =
  'The agent runs its next cells by itself until it is done. The sandbox still holds.';
const NO_CODE = 'No code cell now: Run makes it one again and runs it';
const REASON_HINT = 'Reason (optional), Enter to go on, Esc to keep the cell';

export interface BarOptions {
  /** For screen readers: "Agent's proposal, step 1". */
  label: string;
  /** After the state: "step 1", "Save gp_fit.py". */
  subject: string;
  /** "1.2k tokens · $0.004". */
  usage: string;
  /** Name and tooltip of the first button. */
  yes: { name: string; title: string; hint?: string };
  onYes: () => void;
  onReject: (reason: string) => void;
  onRunAll: () => void;
  onStop: () => void;
  /** The person leaves the bar with Escape: focus goes back to the notebook. */
  onLeave: () => void;
}

/** The review bar: what the agent wants, and the four answers to it. Plain DOM; knows no notebook. */
export class ReviewBar {
  readonly node = element('div', 'jp-CodeAct-review');
  private readonly badge = element('span', 'jp-CodeAct-badge');
  private readonly buttons = element('span', 'jp-CodeAct-buttons');
  private readonly reason: HTMLInputElement;
  private readonly rejectButton: HTMLButtonElement;
  private readonly showButton: HTMLButtonElement;
  private readonly refreshKeys: () => void;
  private changes: DiffLine[] | null = null;
  private diff: HTMLElement | null = null;

  constructor(private readonly options: BarOptions) {
    const toolbar = element('div', 'jp-CodeAct-bar', '', {
      role: 'toolbar',
      'aria-label': options.label
    });
    this.rejectButton = button('Reject', () => this.askReason(), {
      title: 'Do not run this; you can say why'
    });
    this.showButton = button('Show proposal', () => this.toggleDiff(), {
      title: 'What you changed against what the agent wrote'
    });
    this.showButton.hidden = true;
    this.reason = this.reasonField();
    this.buttons.append(
      button(options.yes.name, options.onYes, { ...options.yes, primary: true }),
      this.rejectButton,
      button('Run all', options.onRunAll, { title: RUN_ALL_TITLE }),
      button('Stop', options.onStop, { title: 'End this run; what ran stays' }),
      this.showButton
    );
    toolbar.append(this.badge, this.buttons, this.reason);
    toolbar.append(element('span', 'jp-CodeAct-usage', options.usage));
    toolbar.addEventListener('keydown', event => this.onKeydown(event));
    this.node.append(toolbar);
    this.refreshKeys = roving(toolbar);
    this.setState('Proposed');
  }

  /** Show her changes, or null where the source is the proposal again; and whether the cell is one of code. */
  setChanges(changes: DiffLine[] | null, isCode = true): void {
    this.changes = changes;
    this.showButton.hidden = changes === null;
    const state = changes ? 'Edited' : 'Proposed';
    this.setState(isCode ? state : NO_CODE);
    this.drawDiff(this.diff !== null && changes !== null);
    this.refreshKeys();
  }

  /** Replace the buttons by the field for a reason, and focus it. */
  askReason(): void {
    this.buttons.hidden = true;
    this.reason.hidden = false;
    this.reason.focus();
  }

  /** An answer is on its way: nothing to click any more. */
  settle(state: string): void {
    this.setState(state);
    this.buttons.hidden = true;
    this.reason.hidden = true;
    this.drawDiff(false);
  }

  scrollIntoView(): void {
    this.node.scrollIntoView({ block: 'nearest' });
  }

  private setState(state: string): void {
    this.badge.textContent = dotted(state, this.options.subject);
  }

  private reasonField(): HTMLInputElement {
    const field = element('input', 'jp-CodeAct-reason', '', {
      type: 'text',
      placeholder: REASON_HINT,
      'aria-label': 'Reason',
      autocomplete: 'off',
      ...OWN_KEYS
    });
    field.hidden = true;
    return field;
  }

  private onKeydown(event: KeyboardEvent): void {
    if (event.target === this.reason) {
      // What she types is hers alone: neither toolbar nor notebook may act on it.
      event.stopPropagation();
      this.onReasonKey(event);
    } else if (event.key === 'Escape') {
      event.stopPropagation();
      this.options.onLeave();
    }
  }

  private onReasonKey(event: KeyboardEvent): void {
    if (event.key === 'Enter' && !event.isComposing) {
      event.preventDefault();
      this.options.onReject(this.reason.value.trim());
    } else if (event.key === 'Escape') {
      this.reason.hidden = true;
      this.buttons.hidden = false;
      this.rejectButton.focus();
    }
  }

  private toggleDiff(): void {
    this.drawDiff(this.diff === null);
    this.scrollIntoView();
  }

  private drawDiff(open: boolean): void {
    this.diff?.remove();
    this.diff = open && this.changes ? renderDiff(this.changes) : null;
    if (this.diff) {
      this.node.append(this.diff);
    }
    this.showButton.setAttribute('aria-expanded', String(open));
  }
}
