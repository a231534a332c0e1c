/**
 * Started by download.ts: has the SDK download a release of the Temporal CLI. Arguments: directory, release.
 *
 * `createEphemeralServer` belongs to the SDK's test environment. The SDK's version is pinned, and
 * test/embedded/temporal/download.test.ts fails if another version lacks it.
 */
import { Runtime } from '@temporalio/worker';

const [downloadDir = '', version = ''] = process.argv.slice(2);

try {
  // The SDK downloads only to start a server, so one is started and stopped.
  const server = await Runtime.instance().createEphemeralServer({
    type: 'dev-server',
    exe: {
      type: 'cached-download',
      downloadDir,
      version: `v${version}`,
      ttl: 24 * 60 * 60 * 1000,
      sdkName: 'sdk-typescript',
      sdkVersion: '',
    },
    ip: '127.0.0.1',
    port: null,
    ui: false,
    uiPort: null,
    namespace: 'default',
    dbFilename: null,
    log: { format: 'json', level: 'error' },
    extraArgs: [],
  });
  await Runtime.instance().shutdownEphemeralServer(server);
} catch (error) {
  process.stderr.write(`${innermost(String(error))}\n`);
  process.exitCode = 1;
} finally {
  await Runtime.instance().shutdown();
}

/** The SDK's message repeats the cause in each layer; the innermost one is enough. */
function innermost(message: string): string {
  return message.split('): ').at(-1) ?? message;
}
