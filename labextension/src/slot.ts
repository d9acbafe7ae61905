import type { Cell } from '@jupyterlab/cells';
import type { Notebook } from '@jupyterlab/notebook';
import type { IDisposable } from '@lumino/disposable';
import { type PanelLayout, Widget } from '@lumino/widgets';

import { findCell } from './cells';

const INPUT_WRAPPER = 'jp-Cell-inputWrapper';
const OUTPUT_WRAPPER = 'jp-Cell-outputWrapper';

/** A node kept under the editor or the outputs of one cell, also when the cell is moved and gets a new widget. */
export class Slot implements IDisposable {
  isDisposed = false;
  private cell: Cell | null = null;
  private widget: Widget | null = null;

  /** `under`: what of the cell it stands below. */
  constructor(
    private readonly notebook: Notebook,
    readonly cellId: string,
    private readonly node: HTMLElement,
    private readonly under: 'editor' | 'outputs' = 'editor'
  ) {
    this.refresh();
  }

  /** Follow the cell to its present widget. */
  refresh(): void {
    const cell = findCell(this.notebook, this.cellId) ?? null;
    if (cell === this.cell || this.isDisposed) {
      return;
    }
    this.widget?.dispose();
    this.widget = null;
    this.cell = cell;
    // Before that the cell has no editor to stand under.
    void cell?.ready.then(() => this.place(cell));
  }

  dispose(): void {
    this.isDisposed = true;
    this.widget?.dispose();
    this.widget = null;
  }

  private place(cell: Cell): void {
    if (this.isDisposed || cell.isDisposed || cell !== this.cell) {
      return;
    }
    const widget = (this.widget = new Widget({ node: wrap(this.node, cell) }));
    const layout = cell.layout as PanelLayout;
    const wrapper = this.under === 'editor' ? INPUT_WRAPPER : OUTPUT_WRAPPER;
    const above = layout.widgets.findIndex(w => w.hasClass(wrapper));
    layout.insertWidget(above < 0 ? layout.widgets.length : above + 1, widget);
  }
}

function wrap(content: HTMLElement, cell: Cell): HTMLElement {
  const node = document.createElement('div');
  node.className = 'jp-CodeAct-slot';
  // On a button letters are no shortcuts of the notebook; saving, running and the like go on working.
  node.addEventListener('keydown', event => {
    const isShortcut = event.ctrlKey || event.metaKey || (event.shiftKey && event.key === 'Enter');
    if (isShortcut && event.target instanceof HTMLButtonElement) {
      event.preventDefault();
      event.stopPropagation();
      if (event.key === 'Enter') {
        // Keys that run a cell are bound to where the focus is.
        cell.node.focus({ preventScroll: true });
      }
      cell.node.dispatchEvent(new KeyboardEvent(event.type, event));
    }
  });
  node.append(content);
  return node;
}
