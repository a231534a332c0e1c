#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { countText, sumCounts } from './count.js';
import { formatTable } from './report.js';

const USAGE = 'Usage: tally FILE...';

const files = process.argv.slice(2);

if (files.length === 0) {
  console.error(USAGE);
  process.exit(2);
}

const rows = [];
for (const file of files) {
  try {
    rows.push({ file, ...countText(readFileSync(file, 'utf8')) });
  } catch (error) {
    console.error(`tally: ${file}: ${error.code === 'ENOENT' ? 'no such file' : error.message}`);
    process.exitCode = 1;
  }
}

process.stdout.write(formatTable(rows, sumCounts(rows)));
