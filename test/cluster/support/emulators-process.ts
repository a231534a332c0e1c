/** The GitHub emulator and the scripted model at an address that pods reach: `emulators-process.ts DIRECTORY ADDRESS`. */
import { notifyReady, untilSignal } from '../../../src/app/process/process-life.ts';
import { BOT, OWNER } from '../../../src/embedded/accounts.ts';
import { openSecrets } from '../../../src/embedded/secrets.ts';
import { startGitHubEmulator } from '../../../src/emulators/github/server.ts';
import { startScriptedModel } from '../../../src/emulators/model/scripted-model.ts';

const [directory = '', host = ''] = process.argv.slice(2);
const secrets = openSecrets(directory);
const github = await startGitHubEmulator({
  dataDir: `${directory}/github`,
  host,
  accounts: [
    { login: OWNER, token: secrets['github-owner-token'], type: 'User' },
    { login: BOT, token: secrets['github-bot-token'], type: 'Bot' },
  ],
});
const model = await startScriptedModel({ host });
const details = { gitHubUrl: github.url, modelUrl: model.url };
process.stdout.write(`${JSON.stringify(details)}\n`);
notifyReady(details);
await untilSignal();
await Promise.allSettled([github.close(), model.close()]);
