/** The emulators of the embedded default, in a process of their own. */
import { startGitHubEmulator } from '../emulators/github/server.ts';
import { startScriptedModel } from '../emulators/model/scripted-model.ts';
import { notifyReady, untilSignal } from '../app/process/process-life.ts';
import { BOT, COLLEAGUE, OWNER } from './accounts.ts';
import { openSecrets } from './secrets.ts';

/** Runs until a signal. `data` is the data directory of `up`, with the tokens and the GitHub emulator's state. */
export async function runEmulators(options: { data: string; githubPort: number; modelPort: number }): Promise<void> {
  const secrets = openSecrets(options.data);
  const github = await startGitHubEmulator({
    dataDir: `${options.data}/github`,
    port: options.githubPort,
    accounts: [
      { login: OWNER, token: secrets['github-owner-token'], type: 'User' },
      { login: BOT, token: secrets['github-bot-token'], type: 'Bot', adminOf: OWNER },
      { login: COLLEAGUE, token: secrets['github-colleague-token'], type: 'User' },
    ],
  });
  const model = await startScriptedModel({ port: options.modelPort });
  notifyReady();
  await untilSignal();
  await Promise.allSettled([github.close(), model.close()]);
}
