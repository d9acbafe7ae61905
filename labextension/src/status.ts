import { RUN_ALL_TITLE } from './bar';
import { button, element } from './dom';
import type { StatusMessage } from './protocol';
import { dotted, duration, tokensLong } from './words';

export interface StatusActions {
  onStop: () => void;
  /** Turn Run all off. */
  onReviewEachStep: () => void;
}

/**
 * The quiet line in the `%%agent` cell. Plain DOM.
 *
 * The visible text changes every second and is hidden from screen readers; a second, hidden text
 * changes with the state only, and is read out.
 */
export class StatusBar {
  readonly node = element('div', 'jp-CodeAct-status', '', { role: 'group', 'aria-label': 'Agent' });
  private readonly text = element('span', 'jp-CodeAct-statusText', '', { 'aria-hidden': 'true' });
  private readonly spoken = element('span', 'jp-CodeAct-spoken', '', {
    role: 'status',
    'aria-live': 'polite'
  });
  private readonly review: HTMLButtonElement;
  private readonly timer: number;
  private last: StatusMessage | null = null;
  private hinted = '';
  /** When `last` came, in milliseconds of `performance.now()`. */
  private since = 0;

  constructor(actions: StatusActions) {
    this.review = button('Review each step', actions.onReviewEachStep, {
      title: 'Turn Run all off: the next cell waits for you again'
    });
    const stop = button('Stop', actions.onStop, { title: 'End this run; what ran stays' });
    const dot = element('span', 'jp-CodeAct-pulse', '', { 'aria-hidden': 'true' });
    this.node.append(dot, this.text, this.spoken, stop, this.review);
    this.timer = window.setInterval(() => this.draw(), 1000);
  }

  show(message: StatusMessage): void {
    if (message !== this.last) {
      this.last = message;
      this.since = performance.now();
    }
    this.node.dataset.state = message.state;
    this.review.hidden = !message.auto;
    this.text.title = message.auto ? RUN_ALL_TITLE : '';
    const spoken = dotted(this.hinted || message.text, message.auto && 'Run all is on');
    if (this.spoken.textContent !== spoken) {
      this.spoken.textContent = spoken;
    }
    this.draw();
  }

  /** What she can do, in place of what the kernel says; "" for nothing. */
  hint(text: string): void {
    if (this.hinted !== text && this.last) {
      this.hinted = text;
      this.show(this.last);
    }
  }

  dispose(): void {
    window.clearInterval(this.timer);
    this.node.remove();
  }

  private draw(): void {
    if (!this.last) {
      return;
    }
    const { text, elapsed_s, tokens, auto } = this.last;
    const seconds = elapsed_s + (performance.now() - this.since) / 1000;
    this.text.textContent = dotted(
      this.hinted || text,
      duration(seconds),
      tokensLong(tokens),
      auto && 'Run all is on'
    );
  }
}
