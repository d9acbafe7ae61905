import type { ISessionContext } from '@jupyterlab/apputils';
import type { Kernel } from '@jupyterlab/services';
import type { IDisposable } from '@lumino/disposable';

import {
  COMM_TARGET,
  type FromKernel,
  IMPLEMENTATION,
  KERNEL_NAME,
  parseMessage
} from './protocol';
import type { ToKernel } from './protocol';

export interface AttachOptions {
  onMessage: (message: FromKernel) => void;
  onAttach: () => void;
  /** The kernel that this front end knew is gone, and the run that was in it. */
  onEnd: () => void;
}

/** Keeps one comm open to the notebook's kernel: from the first connection, through restarts and reconnects. */
export class Attachment implements IDisposable {
  isDisposed = false;
  private kernel: Kernel.IKernelConnection | null = null;
  private comm: Kernel.IComm | null = null;

  constructor(
    private readonly sessionContext: ISessionContext,
    private readonly options: AttachOptions
  ) {
    sessionContext.kernelChanged.connect(this.onKernelChanged, this);
    sessionContext.connectionStatusChanged.connect(this.onConnection, this);
    sessionContext.statusChanged.connect(this.onStatus, this);
    this.follow(sessionContext.session?.kernel ?? null);
  }

  get isAttached(): boolean {
    return this.comm !== null && !this.comm.isDisposed;
  }

  readonly send = (message: ToKernel): void => {
    if (this.comm && !this.comm.isDisposed) {
      this.comm.send({ ...message });
    }
  };

  dispose(): void {
    this.isDisposed = true;
    this.sessionContext.kernelChanged.disconnect(this.onKernelChanged, this);
    this.sessionContext.connectionStatusChanged.disconnect(this.onConnection, this);
    this.sessionContext.statusChanged.disconnect(this.onStatus, this);
    this.drop();
  }

  private onKernelChanged(): void {
    this.follow(this.sessionContext.session?.kernel ?? null);
  }

  private onConnection(_: ISessionContext, status: Kernel.ConnectionStatus): void {
    if (status === 'connected') {
      void this.attach();
    }
  }

  private onStatus(_: ISessionContext, status: Kernel.Status): void {
    if (status === 'restarting' || status === 'autorestarting' || status === 'dead') {
      this.drop();
      this.options.onEnd();
    } else if (status === 'starting' && this.isAttached) {
      // Somebody else restarted it: the new one knows nothing of our comm, and the connection was never lost.
      void this.attach();
    }
  }

  private follow(kernel: Kernel.IKernelConnection | null): void {
    if (kernel === this.kernel) {
      return;
    }
    this.drop();
    this.options.onEnd();
    this.kernel = kernel;
    if (kernel?.connectionStatus === 'connected') {
      void this.attach();
    }
  }

  private async attach(): Promise<void> {
    const { kernel } = this;
    if (!kernel?.handleComms || !(await isAgentKernel(kernel))) {
      return;
    }
    if (this.isDisposed || kernel !== this.kernel || kernel.isDisposed) {
      return;
    }
    this.drop();
    this.comm = this.open(kernel);
    this.options.onAttach();
  }

  private open(kernel: Kernel.IKernelConnection): Kernel.IComm {
    const comm = kernel.createComm(COMM_TARGET);
    if ('commsOverSubshells' in comm) {
      // The kernel answers this comm while a cell runs; a subshell would only stand in between.
      Object.assign(comm, { commsOverSubshells: 'disabled' });
    }
    comm.onMsg = ({ content }) => {
      if (comm !== this.comm) {
        return;
      }
      const message = parseMessage(content.data);
      if (message) {
        this.options.onMessage(message);
      }
    };
    comm.open({ op: 'attach' });
    return comm;
  }

  /** Let go of the comm without a word: the kernel tells the one that attached last. */
  private drop(): void {
    this.comm?.dispose();
    this.comm = null;
  }
}

async function isAgentKernel(kernel: Kernel.IKernelConnection): Promise<boolean> {
  if (kernel.name === KERNEL_NAME) {
    return true;
  }
  try {
    return (await kernel.info).implementation === IMPLEMENTATION;
  } catch {
    // The connection was closed before the kernel answered.
    return false;
  }
}
