/** The style sheet, the script and the icon, served from the same origin under URLs that change with their content. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Hono } from 'hono';

const TYPES = {
  'dashboard.css': 'text/css; charset=utf-8',
  'dashboard.js': 'text/javascript; charset=utf-8',
  'icon.svg': 'image/svg+xml',
} as const;
type AssetName = keyof typeof TYPES;

const ASSETS = Object.fromEntries(Object.keys(TYPES).map((name) => [name, readAsset(name)])) as Record<
  AssetName,
  { content: string; version: string }
>;

/** The path of an asset, with its version. */
export function assetUrl(name: AssetName): string {
  return `/assets/${name}?v=${ASSETS[name].version}`;
}

/** Serves the assets. They hold no secret, so they need no session. */
export function serveAssets(app: Hono): void {
  for (const name of Object.keys(TYPES) as AssetName[]) {
    app.get(`/assets/${name}`, (c) => {
      const { content, version } = ASSETS[name];
      const immutable = c.req.query('v') === version;
      return c.body(content, 200, {
        'Content-Type': TYPES[name],
        'Cache-Control': immutable ? 'public, max-age=31536000, immutable' : 'no-cache',
        'X-Content-Type-Options': 'nosniff',
      });
    });
  }
}

function readAsset(name: string): { content: string; version: string } {
  const content = readFileSync(new URL(`assets/${name}`, import.meta.url), 'utf8');
  return { content, version: createHash('sha256').update(content).digest('hex').slice(0, 12) };
}
