/** Environments of a repository and their secrets, as sealed boxes that only the emulator can open. */
import { Hono } from 'hono';
import sodium, { ready } from 'libsodium-wrappers';
import { GitHubError, notFound } from '../errors.ts';
import { jsonBody, requireAccount, requireRepo, type EmulatorContext, type EmulatorEnv } from '../http.ts';
import type { EnvironmentRow, EnvironmentSecretRow, RepoRow } from '../rows.ts';
import type { Emulator } from '../emulator.ts';

/** Create and read environments; list, read, write and delete their secrets. No answer has a value. */
export function environmentRoutes(emulator: Emulator): Hono<EmulatorEnv> {
  const { rows, baseUrl } = emulator;
  const app = new Hono<EmulatorEnv>().basePath('/repos/:owner/:repo/environments/:environment');

  const environmentOf = (repo: RepoRow, name: string): EnvironmentRow | undefined =>
    rows.environments.findBy('repo_id', repo.id).find((row) => row.name === name);
  const requireEnvironment = (c: EmulatorContext): EnvironmentRow => {
    requireAccount(c);
    const found = environmentOf(requireRepo(c, emulator, 'write'), nameIn(c));
    if (!found) throw notFound();
    return found;
  };
  const secretsOf = (environment: EnvironmentRow): EnvironmentSecretRow[] =>
    rows.environmentSecrets.findBy('environment_id', environment.id);
  const requireSecret = (c: EmulatorContext): EnvironmentSecretRow => {
    const found = secretsOf(requireEnvironment(c)).find(({ name }) => name === c.req.param('secret'));
    if (!found) throw notFound();
    return found;
  };
  const shown = (repo: RepoRow, { id, node_id, name, created_at, updated_at }: EnvironmentRow) => ({
    id,
    node_id,
    name,
    url: `${baseUrl}/repos/${repo.full_name}/environments/${encodeURIComponent(name)}`,
    html_url: `${baseUrl}/${repo.full_name}/deployments/activity_log?environments_filter=${encodeURIComponent(name)}`,
    created_at,
    updated_at,
    protection_rules: [],
    deployment_branch_policy: null,
  });
  const listed = ({ name, created_at, updated_at }: EnvironmentSecretRow) => ({ name, created_at, updated_at });

  app.get('/', (c) => {
    const repo = requireRepo(c, emulator, 'read');
    const found = environmentOf(repo, nameIn(c));
    if (!found) throw notFound();
    return c.json(shown(repo, found));
  });
  app.put('/', async (c) => {
    requireAccount(c);
    const repo = requireRepo(c, emulator, 'admin');
    await jsonBody(c);
    return c.json(shown(repo, environmentOf(repo, nameIn(c)) ?? (await newEnvironment(emulator, repo, nameIn(c)))));
  });
  app.get('/secrets', (c) => {
    const secrets = secretsOf(requireEnvironment(c)).map(listed);
    return c.json({ total_count: secrets.length, secrets });
  });
  app.get('/secrets/public-key', (c) => {
    const { key_id, public_key } = requireEnvironment(c);
    return c.json({ key_id, key: public_key });
  });
  app.get('/secrets/:secret', (c) => c.json(listed(requireSecret(c))));
  app.put('/secrets/:secret', async (c) => {
    const environment = requireEnvironment(c);
    const { encrypted_value, key_id } = await jsonBody(c);
    const name = c.req.param('secret');
    if (typeof encrypted_value !== 'string' || key_id !== environment.key_id || !opens(environment, encrypted_value))
      throw new GitHubError(422, 'Bad request - check input parameters');
    const present = secretsOf(environment).find((row) => row.name === name);
    if (present) rows.environmentSecrets.update(present.id, { encrypted_value });
    else rows.environmentSecrets.insert({ environment_id: environment.id, name, encrypted_value });
    return present ? c.body(null, 204) : c.json({}, 201);
  });
  app.delete('/secrets/:secret', (c) => {
    rows.environmentSecrets.delete(requireSecret(c).id);
    return c.body(null, 204);
  });
  return app;
}

/** The value of an environment's secret; undefined if there is none. No request leads here: for whoever runs the emulator. */
export async function openEnvironmentSecret(
  { rows }: Emulator,
  at: { readonly fullName: string; readonly environment: string; readonly name: string },
): Promise<string | undefined> {
  await ready;
  const repo = rows.repos.findOneBy('full_name', at.fullName);
  const environment = rows.environments.findBy('repo_id', repo?.id ?? 0).find(({ name }) => name === at.environment);
  const secret = rows.environmentSecrets
    .findBy('environment_id', environment?.id ?? 0)
    .find(({ name }) => name === at.name);
  return environment && secret && opens(environment, secret.encrypted_value);
}

async function newEnvironment({ rows }: Emulator, repo: RepoRow, name: string): Promise<EnvironmentRow> {
  await ready;
  const { publicKey, privateKey } = sodium.crypto_box_keypair();
  return rows.environments.insert({
    repo_id: repo.id,
    node_id: `EN_${Buffer.from(`${repo.id}/${name}`).toString('base64url')}`,
    name,
    key_id: String(Date.now()),
    public_key: base64(publicKey),
    private_key: base64(privateKey),
  });
}

/** What is in a sealed box; undefined if it was not sealed for this environment. */
function opens({ public_key, private_key }: EnvironmentRow, sealed: string): string | undefined {
  try {
    const [box, publicKey, privateKey] = [sealed, public_key, private_key].map((text) => Buffer.from(text, 'base64'));
    if (!box || !publicKey || !privateKey) return undefined;
    return Buffer.from(sodium.crypto_box_seal_open(box, publicKey, privateKey)).toString('utf8');
  } catch {
    return undefined;
  }
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}

function nameIn(c: EmulatorContext): string {
  return c.req.param('environment') ?? '';
}
