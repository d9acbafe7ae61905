import type { ICodeCellModel } from '@jupyterlab/cells';
import type { Notebook } from '@jupyterlab/notebook';
import { type Kernel, KernelMessage } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';

import { findCell } from './cells';

/**
 * Outputs of a run that another page began, such as this one before its reload. JupyterLab gives outputs
 * to the page that asked for them; here they are put where they belong.
 */
export class Orphans implements IDisposable {
  isDisposed = false;
  /** Where in the outputs each display id stands. */
  private readonly places = new Map<string, number>();

  constructor(
    private readonly kernel: Kernel.IKernelConnection,
    private readonly request: string,
    private readonly notebook: Notebook,
    private readonly cellId: string
  ) {
    kernel.iopubMessage.connect(this.onMessage, this);
  }

  dispose(): void {
    this.isDisposed = true;
    this.kernel.iopubMessage.disconnect(this.onMessage, this);
  }

  private onMessage(_: Kernel.IKernelConnection, message: KernelMessage.IIOPubMessage): void {
    const parent = message.parent_header as Partial<KernelMessage.IHeader>;
    if (parent.msg_id !== this.request || parent.session === this.kernel.clientId) {
      return;
    }
    if (KernelMessage.isDisplayDataMsg(message) || KernelMessage.isUpdateDisplayDataMsg(message)) {
      this.show(message.content);
    }
  }

  private show({ data, metadata, transient }: KernelMessage.IDisplayDataMsg['content']): void {
    const model = findCell(this.notebook, this.cellId)?.model as ICodeCellModel | undefined;
    if (!model) {
      return;
    }
    const output = { output_type: 'display_data', data, metadata };
    const id = transient?.display_id;
    const place = id === undefined ? undefined : this.places.get(id);
    if (place !== undefined) {
      model.outputs.set(place, output);
      return;
    }
    const length = model.outputs.add(output);
    if (id !== undefined) {
      this.places.set(id, length - 1);
    }
  }
}
