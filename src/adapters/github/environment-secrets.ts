/** Secrets of a repository's environments. GitHub shows no value, so none is read back. */
import type { Octokit } from '@octokit/rest';
import sodium, { ready } from 'libsodium-wrappers';
import { isNotFound } from './client.ts';

interface Repository {
  readonly owner: string;
  readonly name: string;
}

export function createEnvironmentSecrets(octokit: Octokit) {
  const at = ({ owner, name }: Repository, environment: string) => ({
    owner,
    repo: name,
    environment_name: environment,
  });

  return {
    /** Creates an environment that is missing. One that is there keeps its protection rules, which a write would reset. */
    async ensureEnvironment(repository: Repository, environment: string): Promise<'created' | 'present'> {
      try {
        await octokit.rest.repos.getEnvironment(at(repository, environment));
        return 'present';
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
      await octokit.rest.repos.createOrUpdateEnvironment(at(repository, environment));
      return 'created';
    },

    /** When a secret was last written, ISO 8601; undefined if there is none, or no such environment. */
    async findEnvironmentSecret(
      repository: Repository,
      environment: string,
      secret: string,
    ): Promise<string | undefined> {
      try {
        const { data } = await octokit.rest.actions.getEnvironmentSecret({
          ...at(repository, environment),
          secret_name: secret,
        });
        return data.updated_at;
      } catch (error) {
        if (isNotFound(error)) return undefined;
        throw error;
      }
    },

    /** Writes a secret of an environment that is there, as a sealed box that only GitHub can open. */
    async writeEnvironmentSecret(
      repository: Repository,
      environment: string,
      { name, value }: { readonly name: string; readonly value: string },
    ): Promise<void> {
      const { data } = await octokit.rest.actions.getEnvironmentPublicKey(at(repository, environment));
      await ready;
      const sealed = sodium.crypto_box_seal(Buffer.from(value), Buffer.from(data.key, 'base64'));
      await octokit.rest.actions.createOrUpdateEnvironmentSecret({
        ...at(repository, environment),
        secret_name: name,
        encrypted_value: Buffer.from(sealed).toString('base64'),
        key_id: data.key_id,
      });
    },
  };
}
