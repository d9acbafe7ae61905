import type { ICommandPalette } from '@jupyterlab/apputils';
import type { CommandRegistry } from '@lumino/commands';

import { type AgentSession, NOTEBOOK_CLASS } from './session';

const CATEGORY = 'CodeAct agent';
const NO_ARGUMENTS = { args: { type: 'object', properties: {} } };

export const CommandIDs = {
  run: 'jupyter-codeact:run-proposal',
  reject: 'jupyter-codeact:reject-proposal',
  stop: 'jupyter-codeact:stop',
  wait: 'jupyter-codeact:wait'
} as const;

/** Free in command mode, where JupyterLab has Z and Shift Z for it. */
const UNDO_KEYS = [
  { command: 'notebook:undo-cell-action', keys: ['Accel Z'] },
  { command: 'notebook:redo-cell-action', keys: ['Accel Shift Z'] }
];
const COMMAND_MODE = `.jp-Notebook.${NOTEBOOK_CLASS}.jp-mod-commandMode:not(.jp-mod-readWrite) :focus`;

/** The keys of JupyterLab that run a cell. */
const RUN_KEYS = ['Shift Enter', 'Ctrl Enter', 'Accel Enter', 'Alt Enter'];

/** What focus is on in a cell that is still being written: its editor, or the cell itself. */
const FILLING = '.jp-Cell.jp-CodeAct-proposed.jp-CodeAct-filling';
const SELECTORS = [
  `.jp-Notebook.jp-mod-editMode ${FILLING} .jp-InputArea-editor`,
  `.jp-Notebook ${FILLING} :focus`,
  `.jp-Notebook ${FILLING}:focus`
];

/** Commands for the notebook in front: `current` gives its session. */
export function addCommands(
  commands: CommandRegistry,
  palette: ICommandPalette | null,
  current: () => AgentSession | undefined
): void {
  commands.addCommand(CommandIDs.run, {
    label: "Run the Agent's Proposal",
    describedBy: NO_ARGUMENTS,
    isEnabled: () => !!current()?.proposals.waiting,
    execute: () => {
      const proposals = current()?.proposals;
      if (proposals?.waiting) {
        proposals.run(proposals.waiting);
      }
    }
  });
  commands.addCommand(CommandIDs.reject, {
    label: "Reject the Agent's Proposal",
    describedBy: NO_ARGUMENTS,
    isEnabled: () => !!current()?.proposals.waiting,
    execute: () => current()?.proposals.waiting?.bar?.askReason()
  });
  commands.addCommand(CommandIDs.stop, {
    label: 'Stop the Agent',
    describedBy: NO_ARGUMENTS,
    isEnabled: () => !!current()?.isRunning,
    execute: () => current()?.stop()
  });
  for (const command of [CommandIDs.run, CommandIDs.reject, CommandIDs.stop]) {
    palette?.addItem({ command, category: CATEGORY });
  }
  UNDO_KEYS.forEach(keys => commands.addKeyBinding({ ...keys, selector: COMMAND_MODE }));
  holdRunKeys(commands);
}

/** In a cell that is still being written, the keys that run cells do nothing. */
function holdRunKeys(commands: CommandRegistry): void {
  commands.addCommand(CommandIDs.wait, {
    label: 'The Agent Is Still Writing This Cell',
    describedBy: NO_ARGUMENTS,
    execute: () => undefined
  });
  for (const selector of SELECTORS) {
    for (const key of RUN_KEYS) {
      commands.addKeyBinding({ command: CommandIDs.wait, keys: [key], selector });
    }
  }
}
