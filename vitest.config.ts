import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { SlowestFiles } from './test/support/slowest-files.ts';

const ON_A_CLUSTER = {
  globalSetup: ['test/cluster/support/global-setup.ts'],
  testTimeout: 900_000,
  hookTimeout: 900_000,
};

/** Files that change what is one for a whole process: a module of Node, the logger of Temporal's SDK. */
const ALONE_IN_A_PROCESS = ['test/adapters/kubernetes/follow.test.ts', 'test/temporal/watched-worker.test.ts'];

/**
 * Files that no other may run beside: they stop parts of the cluster, open its network, remove the workspaces of others, or make
 * workspaces of the same names, as each demo does.
 */
const ALONE_ON_THE_CLUSTER = ['api-server-away', 'cluster', 'demo', 'network', 'restarts', 'sweep'].map(
  (file) => `test/cluster/${file}.test.ts`,
);

/**
 * Real parts in all: `tests` are quick enough for every change, `faults` kill processes and wait for outages to pass, `cluster`
 * needs Linux and root, or a Kubernetes of yours.
 */
export default defineConfig({
  test: {
    pool: 'forks',
    // Most of them wait for others most of the time: processes that start, agents that work, limits that pass.
    maxWorkers: 2 * availableParallelism(),
    // Longer than what tests wait for within them: those waits say what was waited for.
    testTimeout: 180_000,
    hookTimeout: 240_000,
    expect: { poll: { timeout: 15_000 } },
    reporters: ['default', new SlowestFiles()],
    globalSetup: ['test/support/global-setup.ts'],
    projects: [
      {
        extends: true,
        test: {
          name: 'tests',
          include: ['test/**/*.test.ts'],
          exclude: ['test/faults/**', 'test/cluster/**', ...ALONE_IN_A_PROCESS],
          // Loading Temporal's SDK and the others anew for each file would take a third of the suite's time.
          isolate: false,
        },
      },
      { extends: true, test: { name: 'tests-alone', include: ALONE_IN_A_PROCESS } },
      {
        extends: true,
        test: { name: 'faults', include: ['test/faults/**/*.test.ts'], testTimeout: 900_000, hookTimeout: 900_000 },
      },
      {
        extends: true,
        test: {
          name: 'cluster',
          include: ['test/cluster/**/*.test.ts'],
          exclude: ALONE_ON_THE_CLUSTER,
          ...ON_A_CLUSTER,
          // Each makes pods, and the node has few processors to give them.
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        extends: true,
        test: {
          name: 'cluster-alone',
          include: ALONE_ON_THE_CLUSTER,
          ...ON_A_CLUSTER,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
