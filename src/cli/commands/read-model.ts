/** `audit verify` and `read-model rebuild`. */
import type { Command } from 'commander';
import type { AuditVerifyOptions } from '../histories/audit.ts';
import type { RebuildCommandOptions } from '../histories/rebuild.ts';
import { group, leaf } from './staff.ts';

/** Adds the groups `audit` and `read-model` to the program. */
export function addReadModelCommands(program: Command): void {
  leaf(group(program, 'audit', 'the audit trail'), 'verify', 'check that no event was changed, added or deleted')
    .option('--issue <issue>', 'only the chain of this issue: OWNER/NAME#NUMBER')
    .option('--without-temporal', "do not compare with Temporal's histories")
    .action(async (options: AuditVerifyOptions) => {
      const [{ auditVerify }, { processTerminal }] = await Promise.all([
        import('../histories/audit.ts'),
        import('../../terminal/terminal.ts'),
      ]);
      process.exitCode = await auditVerify(options, processTerminal());
    });

  leaf(
    group(program, 'read-model', 'the tables that mirror Temporal'),
    'rebuild',
    "rebuild issues, runs and flow_events from Temporal's histories and the deliveries",
  ).action(async (options: RebuildCommandOptions) => {
    const [{ readModelRebuild }, { processTerminal }] = await Promise.all([
      import('../histories/rebuild.ts'),
      import('../../terminal/terminal.ts'),
    ]);
    process.exitCode = await readModelRebuild(options, processTerminal());
  });
}
