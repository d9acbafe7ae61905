/** Small helpers for the little DOM there is: real buttons, no framework. */

type Attributes = Record<string, string>;

/**
 * On everything that takes the focus: JupyterLab's shortcuts leave its keys alone.
 *
 * It has to be on the element itself: an ancestor is asked only after the element matched a shortcut.
 */
export const OWN_KEYS: Attributes = { 'data-lm-suppress-shortcuts': 'true' };

/** A new element with class, text and attributes. */
export function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  className: string,
  text = '',
  attributes: Attributes = {}
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  node.className = className;
  node.textContent = text;
  for (const [name, value] of Object.entries(attributes)) {
    node.setAttribute(name, value);
  }
  return node;
}

export interface ButtonOptions {
  title?: string;
  /** Shown after the name, not part of it: a shortcut. */
  hint?: string;
  primary?: boolean;
}

/** A real button whose accessible name is exactly `name`. */
export function button(
  name: string,
  onClick: () => void,
  options: ButtonOptions = {}
): HTMLButtonElement {
  const primary = options.primary ? ' jp-CodeAct-primary' : '';
  const node = element('button', `jp-CodeAct-button${primary}`, name, {
    type: 'button',
    ...OWN_KEYS
  });
  if (options.title) {
    node.title = options.title;
  }
  if (options.hint) {
    node.append(element('kbd', 'jp-CodeAct-hint', options.hint, { 'aria-hidden': 'true' }));
  }
  node.addEventListener('click', onClick);
  return node;
}

/**
 * Give a toolbar the keyboard of ARIA toolbars: one button in the tab order, arrows, Home and End between them.
 *
 * Buttons may come and go; call the returned function after they did.
 */
export function roving(toolbar: HTMLElement): () => void {
  const buttons = (): HTMLButtonElement[] =>
    Array.from(toolbar.querySelectorAll('button')).filter(b => !b.hidden && !b.disabled);
  const select = (chosen: HTMLButtonElement | undefined): void => {
    for (const node of toolbar.querySelectorAll('button')) {
      node.tabIndex = node === chosen ? 0 : -1;
    }
  };
  const refresh = (): void => {
    const all = buttons();
    select(
      all.find(b => b === document.activeElement) ?? all.find(b => b.tabIndex === 0) ?? all[0]
    );
  };
  toolbar.addEventListener('focusin', event => {
    if (event.target instanceof HTMLButtonElement) {
      select(event.target);
    }
  });
  toolbar.addEventListener('keydown', event => {
    const all = buttons();
    const next = nextIndex(event.key, all.indexOf(event.target as HTMLButtonElement), all.length);
    if (next !== null) {
      event.preventDefault();
      all[next]?.focus();
    }
  });
  refresh();
  return refresh;
}

/** Where an arrow key leads from button `at` of `count`, or null where the key means nothing. */
export function nextIndex(key: string, at: number, count: number): number | null {
  if (at < 0 || count === 0) {
    return null;
  }
  switch (key) {
    case 'ArrowRight':
      return (at + 1) % count;
    case 'ArrowLeft':
      return (at + count - 1) % count;
    case 'Home':
      return 0;
    case 'End':
      return count - 1;
    default:
      return null;
  }
}
